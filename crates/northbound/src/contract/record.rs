//! Records made from tables.

use std::fmt;

use muster_broker::fault::Fault;
use muster_protocol::xml::element::{Element, XmlWriter};

use super::descriptor::{Kind, TypeDescriptor};

/// Where in a request something stands, for the text and the variables of a fault.
#[derive(Clone, Copy, Debug)]
pub struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    name: &'p str,
    index: Option<usize>,
}

impl<'p> Path<'p> {
    /// The request itself, which is not named.
    pub const ROOT: Path<'static> = Path { parent: None, name: "", index: None };

    /// A field of what stands here; `index` counts entries of a list from 0.
    #[must_use]
    pub fn field(&'p self, name: &'p str, index: Option<usize>) -> Self {
        Self { parent: Some(self), name, index }
    }
}

/// `schedule.timeZone`, `request[3].phoneNumber`.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent.filter(|parent| !parent.name.is_empty()) {
            write!(f, "{parent}.")?;
        }
        f.write_str(self.name)?;
        self.index.map_or(Ok(()), |index| write!(f, "[{index}]"))
    }
}

/// What a field can hold.
pub trait Value: Sized {
    /// Type, for descriptors.
    const KIND: Kind;

    /// Reads the element of the field.
    ///
    /// # Errors
    /// `InvalidArgument` or, for a record, `MissingArgument`.
    fn read(element: &Element, path: &Path<'_>) -> Result<Self, Fault>;

    /// Writes the element of the field.
    fn write(&self, name: &str, writer: &mut XmlWriter);
}

/// A type whose fields come from a table.
pub trait Record: Sized {
    /// The table.
    const DESCRIPTOR: &'static TypeDescriptor;

    /// Reads the fields from the children of `element`: by name, in any order, with or without namespace.
    ///
    /// # Errors
    /// `InvalidArgument` for children that are unknown, repeated or of the wrong type; `MissingArgument`.
    fn read_fields(element: &Element, path: &Path<'_>) -> Result<Self, Fault>;

    /// Writes the fields, in order, except those whose name `skip` tells.
    fn write_fields(&self, writer: &mut XmlWriter, skip: fn(&str) -> bool);

    /// The content of a request as text: equal for two requests exactly if they mean the same, whatever their order,
    /// prefixes or white space were. The session and the idempotency key are no content.
    fn canonical(&self) -> String {
        let mut writer = XmlWriter::new();
        self.write_fields(&mut writer, |name| matches!(name, "userSession" | "requestId"));
        writer.finish()
    }
}

macro_rules! cardinality {
    (one $type:ty) => { $type };
    (opt $type:ty) => { Option<$type> };
    (many $type:ty) => { Vec<$type> };
    (some $type:ty) => { Vec<$type> };
    (@one) => { $crate::contract::Cardinality::One };
    (@opt) => { $crate::contract::Cardinality::Optional };
    (@many) => { $crate::contract::Cardinality::Many };
    (@some) => { $crate::contract::Cardinality::Some };
    (@write one $value:expr, $name:literal, $writer:ident) => { $crate::contract::Value::write(&$value, $name, $writer) };
    (@write $other:ident $value:expr, $name:literal, $writer:ident) => {
        for value in $value.iter() { $crate::contract::Value::write(value, $name, $writer); }
    };
}

/// Each record once: its fields by element name, Rust name, cardinality and type.
macro_rules! record {
    ($(
        $(#[doc = $about:literal])+
        $record:ident { $( $(#[doc = $doc:literal])+ $xml:literal $field:ident: $card:ident $type:ty, )* }
    )*) => {$(
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $record {
            $( $(#[doc = $doc])+ pub $field: $crate::contract::record::cardinality!($card $type), )*
        }

        impl $crate::contract::Record for $record {
            const DESCRIPTOR: &'static $crate::contract::TypeDescriptor = &$crate::contract::TypeDescriptor {
                name: stringify!($record),
                about: concat!($($about),+).trim_ascii(),
                fields: &[$( $crate::contract::FieldDescriptor {
                    name: $xml,
                    kind: <$type as $crate::contract::Value>::KIND,
                    cardinality: $crate::contract::record::cardinality!(@$card),
                    about: concat!($($doc),+).trim_ascii(),
                }, )*],
            };

            #[allow(unused_mut, unused_variables, reason = "a record may have no fields")]
            fn read_fields(
                element: &muster_protocol::xml::element::Element,
                path: &$crate::contract::Path<'_>,
            ) -> Result<Self, muster_broker::fault::Fault> {
                let mut fields = $crate::contract::read::Fields::of(element, path, Self::DESCRIPTOR.fields)?;
                // In the order of the table, which is the order in which the fields were sorted.
                Ok(Self { $( $field: fields.$card($xml)?, )* })
            }

            #[allow(unused_variables, reason = "a record may have no fields")]
            fn write_fields(&self, writer: &mut muster_protocol::xml::element::XmlWriter, skip: fn(&str) -> bool) {
                $( if !skip($xml) { $crate::contract::record::cardinality!(@write $card self.$field, $xml, writer); } )*
            }
        }

        impl $crate::contract::Value for $record {
            const KIND: $crate::contract::Kind =
                $crate::contract::Kind::Record(<Self as $crate::contract::Record>::DESCRIPTOR);

            fn read(
                element: &muster_protocol::xml::element::Element,
                path: &$crate::contract::Path<'_>,
            ) -> Result<Self, muster_broker::fault::Fault> {
                <Self as $crate::contract::Record>::read_fields(element, path)
            }

            fn write(&self, name: &str, writer: &mut muster_protocol::xml::element::XmlWriter) {
                writer.start(name, &[]);
                <Self as $crate::contract::Record>::write_fields(self, writer, |_| false);
                writer.end(name);
            }
        }
    )*};
}

pub(crate) use {cardinality, record};
