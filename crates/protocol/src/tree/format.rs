use std::fmt;

macro_rules! formats {
    ($($(#[$note:ident])? $variant:ident $name:literal $meaning:literal)*) => {
        /// How the value of a node is to be understood.
        ///
        /// Source: OMA DM 1.2 Tree and Description, "Format".
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Format { $($(#[$note])? #[doc = $meaning] $variant,)* }

        impl Format {
            /// Every format, in the order of the specification.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As in `Meta/Format` and in documents.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Reads a name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

formats! {
    B64 "b64" "Octets, written as base64."
    Bin "bin" "Octets."
    Bool "bool" "`true` or `false`."
    #[default] Chr "chr" "Text; what a node has that says nothing else."
    Int "int" "A whole number of 32 bits, in decimal."
    Node "node" "Other nodes."
    Null "null" "No value."
    Xml "xml" "An XML document."
    Date "date" "A date of ISO 8601."
    Time "time" "A time of day of ISO 8601."
    Float "float" "A decimal number."
}

impl Format {
    /// Whether a value is octets, which XML carries as base64.
    #[must_use]
    pub fn is_octets(self) -> bool {
        matches!(self, Self::B64 | Self::Bin)
    }

    /// Whether these octets can be a value of this format. Dates, times and XML are only looked at as text.
    #[must_use]
    pub fn holds(self, value: &[u8]) -> bool {
        let text = std::str::from_utf8(value).ok();
        match self {
            Self::B64 | Self::Bin => true,
            Self::Bool => matches!(value, b"true" | b"false"),
            Self::Int => text.is_some_and(|it| it.parse::<i32>().is_ok()),
            Self::Float => text.and_then(|it| it.parse::<f64>().ok()).is_some_and(f64::is_finite),
            Self::Node | Self::Null => value.is_empty(),
            Self::Chr | Self::Xml | Self::Date | Self::Time => text.is_some(),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_read_by_its_name() {
        for format in Format::ALL {
            assert_eq!(Format::parse(format.name()), Some(*format));
        }
        assert_eq!(Format::parse("Chr"), None);
    }

    #[test]
    fn a_value_has_the_form_of_its_format() {
        for (format, value, holds) in [
            (Format::Int, "-2147483648", true),
            (Format::Int, "2147483648", false),
            (Format::Int, "1.5", false),
            (Format::Int, "", false),
            (Format::Bool, "true", true),
            (Format::Bool, "1", false),
            (Format::Float, "1.5e3", true),
            (Format::Float, "inf", false),
            (Format::Null, "", true),
            (Format::Null, "x", false),
            (Format::Chr, "anything", true),
        ] {
            assert_eq!(format.holds(value.as_bytes()), holds, "{format} {value}");
        }
        assert!(!Format::Chr.holds(&[0xFF]) && Format::Bin.holds(&[0xFF]));
    }
}
