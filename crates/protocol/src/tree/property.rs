//! Properties of nodes, and sets of the parts that a document of a tree has of each node.

macro_rules! parts {
    ($($variant:ident $name:literal $bit:literal $meaning:literal)*) => {
        /// One part of a node in a document: a property, or the value.
        ///
        /// Source: OMA DM 1.2 Tree and Description, "Properties of Management Objects"; TNDS 1.2, "Addressing".
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Part { $(#[doc = $meaning] $variant,)* }

        impl Part {
            /// Every part, in the order in which documents have them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As in `?prop=` and `?list=TNDS`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Reads a name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            const fn bit(self) -> u16 {
                match self { $(Self::$variant => 1 << $bit,)* }
            }
        }
    };
}

parts! {
    Acl "ACL" 0 "The node's own access control list."
    Format "Format" 1 "How the value is to be understood."
    Name "Name" 2 "Last segment of the address."
    Size "Size" 3 "Octets of the value, of leaves only."
    Title "Title" 4 "Name for people."
    TStamp "TStamp" 5 "When the node changed last."
    Type "Type" 6 "MIME type of a value, or identifier of the management object rooted at an interior node."
    VerNo "VerNo" 7 "How often the node changed, modulo 65536."
    Value "Value" 8 "The value; no property."
}

/// A property, as `?prop=` names it: any part but [`Part::Value`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Property(Part);

impl Property {
    /// Reads the name of a property.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Part::parse(name).filter(|it| *it != Part::Value).map(Self)
    }

    /// Which part of a node it is.
    #[must_use]
    pub fn part(self) -> Part {
        self.0
    }

    /// As in `?prop=`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

/// A set of parts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Parts(u16);

impl Parts {
    /// No part.
    pub const NONE: Self = Self(0);
    /// Every part.
    pub const ALL: Self = Self(0x1FF);
    /// What a device must have: `ACL`, `Format`, `Name` and `Type`, and values.
    pub const MANDATORY: Self =
        Self::NONE.with(Part::Acl).with(Part::Format).with(Part::Name).with(Part::Type).with(Part::Value);

    /// The set with one more.
    #[must_use]
    pub const fn with(self, part: Part) -> Self {
        Self(self.0 | part.bit())
    }

    /// The set without one.
    #[must_use]
    pub const fn without(self, part: Part) -> Self {
        Self(self.0 & !part.bit())
    }

    /// Whether the part is in here.
    #[must_use]
    pub const fn contains(self, part: Part) -> bool {
        self.0 & part.bit() != 0
    }

    /// What is in both.
    #[must_use]
    pub const fn in_both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The parts, in the order of documents.
    pub fn iter(self) -> impl Iterator<Item = Part> {
        Part::ALL.iter().copied().filter(move |it| self.contains(*it))
    }

    /// Reads what follows `?list=TNDS`: `+Value+ACL` is these parts alone, `-Format` is all but this one, and both
    /// together is the first without the second. Nothing for a part that there is none of.
    ///
    /// Source: OMA DM 1.2 Tree and Description Serialization, "Requesting TNDS".
    #[must_use]
    pub fn parse(selectors: &str) -> Option<Self> {
        let (mut added, mut taken) = (Self::NONE, Self::NONE);
        let mut rest = selectors;
        while let Some(sign) = rest.chars().next() {
            let after = rest.strip_prefix(['+', '-'])?;
            let end = after.find(['+', '-']).unwrap_or(after.len());
            let (name, tail) = after.split_at_checked(end)?;
            let part = Part::parse(name)?;
            let set = if sign == '+' { &mut added } else { &mut taken };
            *set = set.with(part);
            rest = tail;
        }
        let from = if added == Self::NONE { Self::ALL } else { added };
        Some(Self(from.0 & !taken.0))
    }

    /// As [`Self::parse`] reads it; nothing for all parts.
    #[must_use]
    pub fn selectors(self) -> String {
        if self == Self::ALL {
            return String::new();
        }
        if self == Self::NONE {
            return Part::ALL.iter().map(|it| format!("-{}", it.name())).collect();
        }
        self.iter().map(|it| format!("+{}", it.name())).collect()
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(parts: &[Part]) -> Parts {
        parts.iter().fold(Parts::NONE, |set, part| set.with(*part))
    }

    #[test]
    fn selectors_add_to_nothing_and_take_from_all() {
        assert_eq!(Parts::parse(""), Some(Parts::ALL));
        assert_eq!(Parts::parse("+Value+ACL"), Some(set(&[Part::Acl, Part::Value])));
        assert_eq!(Parts::parse("-Format"), Some(Parts::ALL.without(Part::Format)));
        assert_eq!(Parts::parse("+Value-ACL"), Some(set(&[Part::Value])));
        assert_eq!(Parts::parse("+Value+ACL-ACL"), Some(set(&[Part::Value])));
        for wrong in ["Value", "+", "+Value+", "+Nothing", "+value", " +Value", "+Value ACL"] {
            assert_eq!(Parts::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_set_is_read_as_it_is_written() {
        for bits in 0..0x200 {
            let parts = Parts(bits);
            assert_eq!(Parts::parse(&parts.selectors()), Some(parts));
        }
    }

    #[test]
    fn a_value_is_no_property() {
        assert_eq!(Property::parse("Value"), None);
        assert_eq!(Property::parse("ACL").map(Property::name), Some("ACL"));
        assert_eq!(Property::parse("acl"), None);
    }
}
