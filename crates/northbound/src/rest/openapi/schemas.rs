//! Schemas of the records, and of bodies and answers that are no record.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::parameters::{body_fields, body_record, takes_no_body};
use super::super::routes::{Method, Route};
use super::{bounds, object, patterns, problems};
use crate::contract::deployment_broker::Parameter;
use crate::contract::{Cardinality, FieldDescriptor, Kind, NamedType, Node, Record as _, TypeDescriptor, is_page};

type Members = Vec<(Cow<'static, str>, Node<'static>)>;

/// What refers to a component.
pub(super) fn referring(name: &str) -> Node<'static> {
    object! { "$ref": format!("#/components/schemas/{name}") }
}

/// Every schema that the routes need, by name.
pub(super) fn components(routes: &[&'static Route]) -> Node<'static> {
    let mut all: BTreeMap<String, Node<'static>> = BTreeMap::new();
    all.insert("Problem".to_owned(), problems::schema());
    all.insert("PlainText".to_owned(), object! { "type": "string", "pattern": patterns::PLAIN });
    // What a request says of a node is less than what an answer may tell of it.
    all.insert("GivenParameter".to_owned(), given(Parameter::DESCRIPTOR));
    all.insert("GivenOption".to_owned(), bounds::option());
    for route in routes {
        let descriptor = route.operation.descriptor();
        if let Some(record) = body_record(route) {
            add(&mut all, record.fields);
            if is_creation(route, record) {
                all.insert(new_name(record), created(record));
            }
        } else if !takes_no_body(route) && !route.method.has_no_body() {
            // The key of a request has a header; in the body it is taken as well.
            let fields: Vec<_> =
                body_fields(route).into_iter().filter(|(_, field)| field.name != "requestId").collect();
            let of: Vec<&'static FieldDescriptor> = fields.iter().map(|(_, field)| *field).collect();
            for field in of {
                add(&mut all, std::slice::from_ref(field));
            }
            all.insert(body_name(route), record_of(&upper(descriptor.name), descriptor.about, &fields));
        }
        for field in descriptor.fields.iter().filter(|field| !matches!(field.name, "userSession" | "page" | "filter")) {
            add(&mut all, std::slice::from_ref(field));
        }
        if let Some(result) = &descriptor.result {
            add(&mut all, std::slice::from_ref(result));
        }
    }
    all.into_iter().map(|(name, schema)| (Cow::Owned(name), schema)).collect::<Vec<_>>().into()
}

/// The schema of the body of a route; nothing if it takes none.
pub(super) fn body(route: &Route) -> Option<Node<'static>> {
    if route.method.has_no_body() || takes_no_body(route) {
        return None;
    }
    Some(match body_record(route) {
        Some(record) if is_creation(route, record) => referring(&new_name(record)),
        Some(record) => referring(record.name),
        None => referring(&body_name(route)),
    })
}

/// The schema of the answer of a route; nothing if it is empty.
pub(super) fn answer(route: &Route) -> Option<Node<'static>> {
    let result = route.operation.descriptor().result.as_ref()?;
    Some(match result.kind {
        Kind::Record(record) => referring(record.name),
        Kind::BuiltIn(_) | Kind::Named(_) => object! {
            "type": "object",
            "properties": vec![(Cow::Borrowed(result.name), value(result, ""))],
            "required": vec![Node::from(result.name)],
        },
    })
}

/// Records that the server names itself are made from fewer fields than they have.
fn is_creation(route: &Route, record: &TypeDescriptor) -> bool {
    route.method == Method::Post && record.fields.iter().any(|field| matches!(field.name, "oid" | "version"))
}

fn new_name(record: &TypeDescriptor) -> String {
    format!("New{}", record.name)
}

fn created(record: &'static TypeDescriptor) -> Node<'static> {
    let given = |field: &&FieldDescriptor| {
        !matches!(field.name, "oid" | "version") && !bounds::is_read_only(record.name, field.name)
    };
    let fields: Vec<_> = record.fields.iter().filter(given).map(|field| (field.name, field)).collect();
    let about = format!("{} As it is given when it is made.", record.about);
    with_any_of(&new_name(record), record_as(record.name, &about, &fields))
}

/// A record as requests have it, under a name of its own.
fn given(record: &'static TypeDescriptor) -> Node<'static> {
    let fields: Vec<_> = record.fields.iter().map(|field| (field.name, field)).collect();
    record_as(&format!("Given{}", record.name), record.about, &fields)
}

/// Name of the schema of a body that has several parameters.
fn body_name(route: &Route) -> String {
    format!("{}Parameters", upper(route.id()))
}

fn upper(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + characters.as_str())
}

/// Adds the records and named types of fields, and of what is in them.
fn add(all: &mut BTreeMap<String, Node<'static>>, fields: &'static [FieldDescriptor]) {
    for field in fields {
        match field.kind {
            Kind::BuiltIn(_) => {}
            Kind::Named(named) => {
                all.entry(named.name.to_owned()).or_insert_with(|| named_type(named));
            }
            Kind::Record(record) => {
                if !all.contains_key(record.name) {
                    all.insert(record.name.to_owned(), Node::Null);
                    add(all, record.fields);
                    all.insert(record.name.to_owned(), record_schema(record));
                }
            }
        }
    }
}

fn record_schema(record: &'static TypeDescriptor) -> Node<'static> {
    if is_page(record) {
        let mut more: Members = Vec::new();
        let mut items = Node::Null;
        for field in record.fields {
            match (field.cardinality.repeats(), field.kind) {
                (true, Kind::Record(entry)) => items = referring(entry.name),
                (true, _) => items = simple(field.kind),
                (false, _) if matches!(field.name, "totalCount" | "nextPageToken") => {}
                (false, _) => more.push((Cow::Borrowed(field.name), described(value(field, record.name), field.about))),
            }
        }
        return page(items, record.about, more);
    }
    let fields: Vec<_> = record.fields.iter().map(|field| (field.name, field)).collect();
    record_of(record.name, record.about, &fields)
}

/// A list as REST tells it.
fn page(items: Node<'static>, about: &str, more: Members) -> Node<'static> {
    let mut required: Vec<Node<'static>> = more.iter().map(|(name, _)| Node::from(name.to_string())).collect();
    required.extend(["items", "totalCount"].map(Node::from));
    let mut properties = more;
    properties.extend([
        (Cow::Borrowed("items"), object! { "type": "array", "items": items, "description": "The entries." }),
        (
            Cow::Borrowed("totalCount"),
            object! {
                "type": "integer", "format": "int64", "minimum": 0,
                "description": "Entries in the whole list when this page was made.",
            },
        ),
        (
            Cow::Borrowed("nextCursor"),
            object! {
                "type": "string",
                "description": "Present where more follow: the cursor of the next page.",
            },
        ),
    ]);
    object! { "type": "object", "description": about.to_owned(), "properties": properties, "required": required }
}

fn record_of(owner: &str, about: &str, fields: &[(&'static str, &'static FieldDescriptor)]) -> Node<'static> {
    with_any_of(owner, record_as(owner, about, fields))
}

fn record_as(owner: &str, about: &str, fields: &[(&'static str, &'static FieldDescriptor)]) -> Node<'static> {
    let property = |(shown, field): &(&'static str, &'static FieldDescriptor)| {
        let mut schema = described(value(field, owner), field.about);
        if let Node::Record(members) = &mut schema {
            if bounds::is_read_only(owner, field.name) {
                members.push((Cow::Borrowed("readOnly"), true.into()));
            }
            if bounds::is_write_only(owner, field.name) {
                members.push((Cow::Borrowed("writeOnly"), true.into()));
            }
        }
        (Cow::Borrowed(*shown), schema)
    };
    let required = fields.iter().filter(|(_, field)| field.cardinality.is_required());
    let required: Vec<_> = required.map(|(shown, _)| Node::from(*shown)).collect();
    let mut members: Members = vec![
        (Cow::Borrowed("type"), "object".into()),
        (Cow::Borrowed("description"), about.to_owned().into()),
        (Cow::Borrowed("properties"), fields.iter().map(property).collect::<Vec<_>>().into()),
    ];
    if !required.is_empty() {
        members.push((Cow::Borrowed("required"), required.into()));
    }
    let needed: Members = bounds::needed_with(owner)
        .iter()
        .map(|(field, other)| (Cow::Borrowed(*field), vec![Node::from(*other)].into()))
        .collect();
    if !needed.is_empty() {
        members.push((Cow::Borrowed("dependentRequired"), needed.into()));
    }
    members.push((Cow::Borrowed("additionalProperties"), false.into()));
    Node::Record(members)
}

fn with_any_of(owner: &str, mut schema: Node<'static>) -> Node<'static> {
    let names = bounds::any_of(owner);
    let lists = lists_of(&schema);
    if let (Node::Record(members), false) = (&mut schema, names.is_empty()) {
        let need = |name: &&'static str| {
            let mut need: Members = vec![(Cow::Borrowed("required"), vec![Node::from(*name)].into())];
            if lists.iter().any(|list| list == name) {
                let filled: Members = vec![(Cow::Borrowed(*name), object! { "minItems": 1 })];
                need.push((Cow::Borrowed("properties"), filled.into()));
            }
            Node::Record(need)
        };
        let mut all = vec![object! { "anyOf": names.iter().map(need).collect::<Vec<_>>() }];
        for (field, below) in bounds::needed_below(owner) {
            let needed = object! { "required": vec![Node::from(*below)] };
            all.push(object! { "properties": vec![(Cow::Borrowed(*field), needed)] });
        }
        // One level down, because generators of clients make a union of members and anyOf, which is everything.
        members.push((Cow::Borrowed("allOf"), all.into()));
    }
    schema
}

/// The properties of a schema that are lists.
fn lists_of(schema: &Node<'static>) -> Vec<String> {
    let member = |node: &Node<'static>, name: &str| match node {
        Node::Record(members) => members.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()),
        _ => None,
    };
    let Some(Node::Record(properties)) = member(schema, "properties") else { return Vec::new() };
    let lists = properties.iter().filter(|(_, schema)| member(schema, "items").is_some());
    lists.map(|(name, _)| name.to_string()).collect()
}

/// The schema of a field of a record or operation.
pub(super) fn value(field: &FieldDescriptor, owner: &str) -> Node<'static> {
    let one = bounds::of_field(owner, field.name).unwrap_or_else(|| simple(field.kind));
    if !field.cardinality.repeats() {
        return one;
    }
    let mut list: Members = vec![(Cow::Borrowed("type"), "array".into()), (Cow::Borrowed("items"), one)];
    if field.cardinality == Cardinality::Some {
        list.push((Cow::Borrowed("minItems"), 1_i64.into()));
    }
    if let Some(most) = bounds::entries_max(owner, field.name) {
        list.push((Cow::Borrowed("maxItems"), most.into()));
    }
    if bounds::is_set(owner, field.name) {
        list.push((Cow::Borrowed("uniqueItems"), true.into()));
    }
    Node::Record(list)
}

fn described(mut schema: Node<'static>, about: &'static str) -> Node<'static> {
    if let Node::Record(members) = &mut schema {
        members.push((Cow::Borrowed("description"), about.into()));
    }
    schema
}

fn simple(kind: Kind) -> Node<'static> {
    match kind {
        Kind::Record(record) => referring(record.name),
        Kind::Named(named) => referring(named.name),
        Kind::BuiltIn("xs:boolean") => object! { "type": "boolean" },
        Kind::BuiltIn("xs:int") => {
            let (least, most) = (i64::from(i32::MIN), i64::from(i32::MAX));
            object! { "type": "integer", "format": "int32", "minimum": least, "maximum": most }
        }
        Kind::BuiltIn("xs:long") => {
            object! { "type": "integer", "format": "int64", "minimum": i64::MIN, "maximum": i64::MAX }
        }
        Kind::BuiltIn("xs:dateTime") => object! { "type": "string", "format": "date-time" },
        Kind::BuiltIn("xs:time") => object! { "type": "string", "pattern": patterns::DAY_TIME },
        Kind::BuiltIn("xs:anyURI") => object! { "type": "string", "format": "uri" },
        Kind::BuiltIn("xs:base64Binary") => {
            object! { "type": "string", "contentEncoding": "base64", "pattern": patterns::BASE64 }
        }
        Kind::BuiltIn(_) => referring("PlainText"),
    }
}

fn named_type(named: &'static NamedType) -> Node<'static> {
    let is_number = named.base == "xs:int";
    if !named.values.is_empty() {
        let value = |text: &&'static str| match text.parse::<i64>() {
            Ok(number) if is_number => Node::from(number),
            Ok(_) | Err(_) => Node::from(*text),
        };
        let values: Vec<_> = named.values.iter().map(value).collect();
        return object! { "type": if is_number { "integer" } else { "string" }, "enum": values };
    }
    match named.name {
        "Msisdn" => object! {
            "type": "string",
            "pattern": r"^\+?[0-9]{5,15}$",
            "description": "Full international number, with or without its plus sign; told with it.",
            "examples": vec![Node::from("+15551234567")],
        },
        "DeviceId" => object! {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u0020\u007f-\u00a0][^\u0000-\u001f\u007f-\u009f]*$",
            "description": "Device identifier. An IMEI is taken in each of its spellings and told as IMEI: and 15 digits; \
                            one with a wrong check digit is refused.",
            "examples": vec![Node::from("IMEI:490154203237518")],
        },
        _ => object! { "type": "string", "pattern": patterns::PLAIN },
    }
}
