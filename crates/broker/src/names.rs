//! Names of the contract for the values of an enumeration: one table, read in both directions.

/// Gives an enumeration its names, in the order of the contract: `NAMES`, `parse` and `as_str`.
macro_rules! names {
    ($type:ident { $($name:literal $variant:ident)* }) => {
        impl $type {
            /// Every value by its name, in the order of the contract.
            pub const NAMES: &[(&str, Self)] = &[$(($name, Self::$variant)),*];

            /// The value of this name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The name, as the contract spells it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

pub(crate) use names;
