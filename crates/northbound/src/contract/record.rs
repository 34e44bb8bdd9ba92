//! Records made from tables.

use std::fmt;

use muster_broker::fault::Fault;
use muster_protocol::xml::element::XmlWriter;

use super::descriptor::{Kind, TypeDescriptor};
use super::face::{At, Sink, Source};

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

    /// Reads the value of the field.
    ///
    /// # Errors
    /// `InvalidArgument` or, for a record, `MissingArgument`.
    fn read(source: &impl Source, path: &Path<'_>) -> Result<Self, Fault>;

    /// Writes the value of the field.
    fn write(&self, at: At<'_>, sink: &mut impl Sink);

    /// Makes the value of the field `name` one for who need not see whose device or number it is. True where it must be
    /// left out, because nothing that hides it were a value of its type.
    fn hide(&mut self, name: &str) -> bool;
}

/// A type whose fields come from a table.
pub trait Record: Sized {
    /// The table.
    const DESCRIPTOR: &'static TypeDescriptor;

    /// Reads the fields from the members of `source`: by name, in any order.
    ///
    /// # Errors
    /// `InvalidArgument` for members that are unknown, repeated or of the wrong type; `MissingArgument`.
    fn read_fields(source: &impl Source, path: &Path<'_>) -> Result<Self, Fault>;

    /// Writes the fields, in order, except those whose name `skip` tells.
    fn write_fields(&self, sink: &mut impl Sink, skip: fn(&str) -> bool);

    /// The content of a request as text: equal for two requests exactly if they mean the same, whatever their order,
    /// prefixes or white space were, and whichever face they came by. The session and the idempotency key are no
    /// content.
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
    (@hide one $value:expr, $name:literal) => {
        // What must be there has no type that cannot be masked: a test goes through all of them.
        let _ = $crate::contract::Value::hide(&mut $value, $name);
    };
    (@hide opt $value:expr, $name:literal) => {
        if $value.as_mut().is_some_and(|value| $crate::contract::Value::hide(value, $name)) {
            $value = None;
        }
    };
    (@hide $list:ident $value:expr, $name:literal) => {
        $value.retain_mut(|value| !$crate::contract::Value::hide(value, $name));
    };
    (@write one $value:expr, $name:literal, $sink:ident) => {
        $crate::contract::Value::write(&$value, $crate::contract::At::field($name), $sink)
    };
    (@write opt $value:expr, $name:literal, $sink:ident) => {
        if let Some(value) = &$value {
            $crate::contract::Value::write(value, $crate::contract::At::field($name), $sink);
        }
    };
    (@write $list:ident $value:expr, $name:literal, $sink:ident) => {{
        $crate::contract::Sink::begin_list($sink, $name);
        for value in &$value {
            $crate::contract::Value::write(value, $crate::contract::At::entry($name), $sink);
        }
        $crate::contract::Sink::end_list($sink);
    }};
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
                source: &impl $crate::contract::Source,
                path: &$crate::contract::Path<'_>,
            ) -> Result<Self, muster_broker::fault::Fault> {
                const COUNT: usize = <$record as $crate::contract::Record>::DESCRIPTOR.fields.len();
                let mut room = [const { $crate::contract::read::Found::Nothing }; COUNT];
                let table = Self::DESCRIPTOR.fields;
                let mut fields = $crate::contract::read::Fields::of(source, path, table, &mut room)?;
                // In the order of the table, which is the order in which the fields were sorted.
                Ok(Self { $( $field: fields.$card($xml)?, )* })
            }

            #[allow(unused_variables, reason = "a record may have no fields")]
            fn write_fields(&self, sink: &mut impl $crate::contract::Sink, skip: fn(&str) -> bool) {
                $( if !skip($xml) { $crate::contract::record::cardinality!(@write $card self.$field, $xml, sink); } )*
            }
        }

        impl $crate::contract::Value for $record {
            const KIND: $crate::contract::Kind =
                $crate::contract::Kind::Record(<Self as $crate::contract::Record>::DESCRIPTOR);

            fn read(
                source: &impl $crate::contract::Source,
                path: &$crate::contract::Path<'_>,
            ) -> Result<Self, muster_broker::fault::Fault> {
                <Self as $crate::contract::Record>::read_fields(source, path)
            }

            fn write(&self, at: $crate::contract::At<'_>, sink: &mut impl $crate::contract::Sink) {
                $crate::contract::Sink::begin(sink, at);
                <Self as $crate::contract::Record>::write_fields(self, sink, |_| false);
                $crate::contract::Sink::end(sink, at);
            }

            fn hide(&mut self, _name: &str) -> bool {
                $( $crate::contract::record::cardinality!(@hide $card self.$field, $xml); )*
                false
            }
        }
    )*};
}

pub(crate) use {cardinality, record};
