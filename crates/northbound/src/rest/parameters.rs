//! From address, headers and body to the parameters of an operation, and the names of parameters back to those of the
//! address.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderName};
use muster_broker::fault::{Fault, FaultName, cut};
use muster_broker::identity::{DeviceId, Msisdn};

use super::negotiate::{Wanted, if_match, single};
use super::routes::{Part, ROUTES, Route, When, parts};
use crate::contract::{FieldDescriptor, Kind, Node, Scalar, Source as _, TypeDescriptor};

type Members<'d> = Vec<(Cow<'d, str>, Node<'d>)>;

/// Where the key of a request stands.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The query parameters of a page, and its fields.
pub(super) const PAGE: [(&str, &str); 2] = [("limit", "pageSize"), ("cursor", "pageToken")];

/// Parameters that have another name wherever they stand in an address.
const ALWAYS_RENAMED: &[(&str, &str)] = &[("filter", "filterExpression")];

/// The field of a filter that holds names with values; in a query `name=value`.
pub(super) const PAIRS: &str = "attribute";

/// How a parameter of a query comes into the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// A parameter of the operation.
    Field(&'static FieldDescriptor),
    /// A field of one of its records: of `page` or of a filter.
    Below(&'static FieldDescriptor, &'static FieldDescriptor),
    /// It chose the route and says nothing more.
    Flag,
    /// Part of a page of which there is only one.
    OnlyPage,
}

/// The parameters that the query of a route takes, with their names there.
pub(super) fn query_slots(route: &Route) -> Vec<(&'static str, Slot)> {
    let mut slots = Vec::new();
    let descriptor = route.operation.descriptor();
    // Where the body is one parameter, the others stand in the query as well.
    let in_query = |field: &&FieldDescriptor| route.method.has_no_body() || is_beside_body(route, field);
    for field in descriptor.fields.iter().filter(in_query) {
        if is_elsewhere(route, field.name) {
            continue;
        }
        match field.kind {
            Kind::Record(record) if field.name == "page" => {
                let of = |name: &str| record.fields.iter().find(|field| field.name == name);
                slots.extend(PAGE.iter().filter_map(|(shown, name)| Some((*shown, Slot::Below(field, of(name)?)))));
            }
            Kind::Record(record) => {
                slots.extend(record.fields.iter().map(|below| (below.name, Slot::Below(field, below))));
            }
            Kind::BuiltIn(_) | Kind::Named(_) => slots.push((shown(route, field.name), Slot::Field(field))),
        }
    }
    for other in at_same_place(route) {
        if let When::Flag(name) = other.when {
            slots.push((name, Slot::Flag));
        }
    }
    if route.is_query {
        slots.extend(PAGE.iter().map(|(name, _)| (*name, Slot::OnlyPage)));
    }
    slots
}

/// Whether a parameter is a simple one beside that which the body is.
fn is_beside_body(route: &Route, field: &FieldDescriptor) -> bool {
    route.body.is_some_and(|body| body != field.name) && !matches!(field.kind, Kind::Record(_))
}

/// The routes that the query chooses from, this one among them.
pub(super) fn at_same_place(route: &Route) -> impl Iterator<Item = &'static Route> {
    let (method, path) = (route.method, route.path);
    ROUTES.iter().filter(move |other| other.method == method && other.path == path)
}

/// The parameters that a body of several members takes, with their names there.
pub(super) fn body_fields(route: &Route) -> Vec<(&'static str, &'static FieldDescriptor)> {
    let fields = route.operation.descriptor().fields.iter();
    let here = fields.filter(|field| !is_elsewhere(route, field.name) || field.name == "requestId");
    here.map(|field| (shown(route, field.name), field)).collect()
}

/// The record that a body is.
pub(super) fn body_record(route: &Route) -> Option<&'static TypeDescriptor> {
    let field = field_of(route, route.body?)?;
    match field.kind {
        Kind::Record(record) => Some(record),
        Kind::BuiltIn(_) | Kind::Named(_) => None,
    }
}

/// Whether a route that could have a body has none.
pub(super) fn takes_no_body(route: &Route) -> bool {
    route.body.is_none() && body_fields(route).is_empty()
}

/// The parameter of this name of the operation of a route.
pub(super) fn field_of(route: &Route, name: &str) -> Option<&'static FieldDescriptor> {
    route.operation.descriptor().fields.iter().find(|field| field.name == name)
}

/// Whether a route takes `If-Match`: where the version is a parameter, or a field of the record that is the body of a
/// change.
pub(super) fn takes_version(route: &Route) -> bool {
    let in_body = || body_record(route).is_some_and(|record| record.fields.iter().any(|field| field.name == "version"));
    field_of(route, "version").is_some() || (route.method == super::routes::Method::Put && in_body())
}

/// Whether a parameter stands neither in the query nor in the body, or not at all.
fn is_elsewhere(route: &Route, name: &str) -> bool {
    let in_path = parts(route.path).any(|part| part == Part::Parameter(static_name(route, name)));
    in_path || matches!(name, "userSession" | "requestId" | "version") || route.without.contains(&name)
}

fn static_name(route: &Route, name: &str) -> &'static str {
    field_of(route, name).map_or("", |field| field.name)
}

/// What a parameter is called in the address or body.
pub(super) fn shown(route: &Route, name: &'static str) -> &'static str {
    let shown = ALWAYS_RENAMED.iter().chain(route.renamed).find(|(_, field)| *field == name);
    shown.map_or(name, |(shown, _)| shown)
}

/// Puts the parameters of a request together.
///
/// # Errors
/// `InvalidArgument` for parameters that are unknown; `ConflictingArguments` for values that stand in two places and
/// differ. What values mean is found where they are read.
pub(super) fn assemble<'d>(
    route: &Route,
    segments: &'d [String],
    query: &'d [(String, String)],
    headers: &'d HeaderMap,
    body: Option<Node<'d>>,
) -> Result<Node<'d>, Fault> {
    let mut members = match (route.body, body) {
        (Some(parameter), body) => match body {
            Some(body) => vec![(Cow::Borrowed(parameter), body)],
            None => Vec::new(),
        },
        (None, None) => Vec::new(),
        (None, Some(body)) => body_members(route, body)?,
    };
    path_members(route, segments, &mut members)?;
    query_members(route, query, &mut members)?;
    header_members(route, headers, &mut members)?;
    Ok(Node::Record(members))
}

/// The members of a body under the names of the parameters.
fn body_members<'d>(route: &Route, body: Node<'d>) -> Result<Members<'d>, Fault> {
    let Node::Record(given) = body else {
        return Err(Fault::invalid("body", body.quoted(), "an object is expected"));
    };
    let known = body_fields(route);
    let member = |(name, value): (Cow<'d, str>, Node<'d>)| match known.iter().find(|(shown, _)| *shown == name) {
        Some((_, field)) => Ok((Cow::Borrowed(field.name), value)),
        None => Err(unknown(&name, &value.quoted(), "member of the body")),
    };
    given.into_iter().map(member).collect()
}

fn unknown(name: &str, value: &str, what: &str) -> Fault {
    let name = cut(name);
    let text = format!("{name} is no {what} that is known here; /api/v1/docs lists what is");
    Fault::new(FaultName::InvalidArgument, text).with(name).with(value)
}

fn path_members<'d>(route: &Route, segments: &'d [String], members: &mut Members<'d>) -> Result<(), Fault> {
    for (part, segment) in parts(route.path).zip(segments) {
        let Part::Parameter(name) = part else { continue };
        let value = Node::Lexical(Cow::Borrowed(segment.as_str()));
        match (field_of(route, name), body_record(route)) {
            (Some(_), _) | (None, None) => members.push((Cow::Borrowed(name), value)),
            (None, Some(record)) => {
                let kind = record.fields.iter().find(|field| field.name == name).map(|field| field.kind);
                into_body(route, name, kind, value, "the path", members)?;
            }
        }
    }
    Ok(())
}

/// Sets a field of the record that is the body; a value there must say the same.
fn into_body<'d>(
    route: &Route,
    name: &'static str,
    kind: Option<Kind>,
    value: Node<'d>,
    place: &str,
    members: &mut Members<'d>,
) -> Result<(), Fault> {
    let body = members.iter_mut().find(|(parameter, _)| Some(parameter.as_ref()) == route.body);
    // A body that is missing, or no object, is refused where it is read.
    let Some((_, Node::Record(fields))) = body else { return Ok(()) };
    match fields.iter().find(|(given, _)| given == name) {
        None => fields.push((Cow::Borrowed(name), value)),
        Some((_, given)) if is_same(kind, given, &value) => {}
        Some(_) => {
            let text = format!("{name} of the body is another than that of {place}");
            return Err(Fault::new(FaultName::ConflictingArguments, text).with(name));
        }
    }
    Ok(())
}

/// Whether two values mean the same, as far as that can be told before they are read.
fn is_same(kind: Option<Kind>, one: &Node<'_>, other: &Node<'_>) -> bool {
    let text = |node: &Node<'_>| match node.scalar() {
        Ok(Scalar::Lexical(text) | Scalar::Text(text)) => Some(text.trim().to_owned()),
        Ok(Scalar::Number(number)) => Some(number.to_string()),
        Ok(Scalar::Boolean(_)) | Err(_) => None,
    };
    let (Some(one), Some(other)) = (text(one), text(other)) else { return false };
    let named = kind.map(Kind::name).unwrap_or_default();
    one == other
        || (named == "DeviceId" && DeviceId::from_caller(&one).is_ok_and(|id| DeviceId::from_caller(&other) == Ok(id)))
        || (named == "Msisdn" && Msisdn::parse(&one).is_ok_and(|number| Msisdn::parse(&other) == Ok(number)))
}

fn query_members<'d>(route: &Route, query: &'d [(String, String)], members: &mut Members<'d>) -> Result<(), Fault> {
    let slots = query_slots(route);
    for (name, value) in query {
        let Some((_, slot)) = slots.iter().find(|(shown, _)| shown == name) else {
            return Err(not_here(route, name, value));
        };
        if name == "cursor" && value.is_empty() {
            // As many clients ask for the first page.
            continue;
        }
        let lexical = Node::Lexical(Cow::Borrowed(value.as_str()));
        match slot {
            Slot::Flag if matches!(value.as_str(), "true" | "false") => {}
            Slot::Flag => return Err(Fault::invalid(name, value, "true or false is expected")),
            Slot::OnlyPage if name == "cursor" => {
                let text = "cursor is not of this list; begin again without one";
                return Err(Fault::new(FaultName::InvalidPageToken, text));
            }
            Slot::OnlyPage if value.parse::<i32>().is_ok_and(|limit| limit > 0) => {}
            Slot::OnlyPage => return Err(Fault::invalid(name, value, "a whole number from 1 on is expected")),
            Slot::Field(field) => members.push((Cow::Borrowed(field.name), lexical)),
            Slot::Below(parent, field) => {
                let value = if field.name == PAIRS { pair(value)? } else { lexical };
                below(members, parent.name, field, value);
            }
        }
    }
    Ok(())
}

/// The fault for a parameter that this route does not take.
fn not_here(route: &Route, name: &str, value: &str) -> Fault {
    let is_known = at_same_place(route).any(|other| query_slots(other).iter().any(|(shown, _)| *shown == name));
    if is_known {
        let text = format!("{name} does not go together with the other parameters; ask for one thing at a time");
        return Fault::new(FaultName::ConflictingArguments, text).with(name);
    }
    unknown(name, value, "parameter of this address")
}

/// Adds a field to a record among the members.
fn below<'d>(members: &mut Members<'d>, parent: &'static str, field: &'static FieldDescriptor, value: Node<'d>) {
    let at = members.iter().position(|(name, _)| name == parent).unwrap_or_else(|| {
        members.push((Cow::Borrowed(parent), Node::Record(Vec::new())));
        members.len() - 1
    });
    let Some((_, Node::Record(fields))) = members.get_mut(at) else { return };
    // Records of a field that repeats come in one list; simple values stand once for each.
    let is_list = field.cardinality.repeats() && matches!(value, Node::Record(_));
    match fields.iter_mut().find(|(name, _)| is_list && name == field.name) {
        Some((_, Node::List(entries))) => entries.push(value),
        _ => fields.push((Cow::Borrowed(field.name), if is_list { Node::List(vec![value]) } else { value })),
    }
}

/// `name=value` as the record of a name and its value.
fn pair(text: &str) -> Result<Node<'_>, Fault> {
    let why = "a name, an equals sign and a value are expected";
    let (name, value) = text.split_once('=').ok_or_else(|| Fault::invalid(PAIRS, text, why))?;
    let lexical = |text| Node::Lexical(Cow::Borrowed(text));
    Ok(Node::Record(vec![(Cow::Borrowed("name"), lexical(name)), (Cow::Borrowed("value"), lexical(value))]))
}

fn header_members<'d>(route: &Route, headers: &'d HeaderMap, members: &mut Members<'d>) -> Result<(), Fault> {
    if field_of(route, "requestId").is_some()
        && let Some(text) = single(headers, &IDEMPOTENCY_KEY)?
    {
        // The header may be written as a string of structured fields.
        let key = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        let value = Node::Lexical(Cow::Borrowed(key));
        match members.iter().find(|(name, _)| name == "requestId") {
            None => members.push((Cow::Borrowed("requestId"), value)),
            Some((_, given)) if is_same(None, given, &value) => {}
            Some(_) => {
                let text = "Idempotency-Key and requestId of the body differ; give one of them";
                return Err(Fault::new(FaultName::ConflictingArguments, text)
                    .with("Idempotency-Key")
                    .with("requestId"));
            }
        }
    }
    let wanted = if_match(headers)?;
    if !takes_version(route) {
        return match wanted {
            Some(Wanted::Version(_)) if !route.method.has_no_body() => {
                Err(Fault::invalid("If-Match", "…", "what is at this address has no version; leave the header out"))
            }
            _ => Ok(()),
        };
    }
    if let Some(Wanted::Version(version)) = wanted {
        let value = Node::Whole(version);
        match field_of(route, "version") {
            Some(field) => members.push((Cow::Borrowed(field.name), value)),
            None => into_body(route, "version", None, value, "If-Match", members)?,
        }
    }
    Ok(())
}

/// Whether a fault is about what the path names.
pub(super) fn is_about_path(route: &Route, fault: &Fault) -> bool {
    let variable = fault.variables.first().map_or("", String::as_str);
    fault.name == FaultName::InvalidArgument
        && parts(route.path).any(|part| matches!(part, Part::Parameter(name) if name == variable))
}

/// A fault in the words of the address: parameters have the names that the caller gave them.
pub(super) fn told(route: &Route, mut fault: Fault) -> Fault {
    if !matches!(
        fault.name,
        FaultName::InvalidArgument
            | FaultName::MissingArgument
            | FaultName::ConflictingArguments
            | FaultName::InvalidPageToken
            | FaultName::UnknownCapability
    ) {
        return fault;
    }
    if fault.name == FaultName::InvalidPageToken {
        fault.text = fault.text.replace("pageToken", "cursor");
        return fault;
    }
    if let Some(variable) = fault.variables.first_mut() {
        let shown = shown_path(route, variable);
        if shown != *variable {
            fault.text = fault.text.replacen(variable.as_str(), &shown, 1);
            *variable = shown;
        }
    }
    fault
}

fn shown_path(route: &Route, path: &str) -> String {
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (first, rest) = path.split_at(end);
    if route.body == Some(first) {
        return rest.strip_prefix('.').unwrap_or("body").to_owned();
    }
    for (shown, name) in PAGE {
        if path == name || (first == "page" && rest.strip_prefix('.') == Some(name)) {
            return shown.to_owned();
        }
    }
    if first == "filter" && route.method.has_no_body() {
        return rest.strip_prefix('.').unwrap_or(path).to_owned();
    }
    match ALWAYS_RENAMED.iter().chain(route.renamed).find(|(_, name)| *name == first) {
        Some((shown, _)) => format!("{shown}{rest}"),
        None => path.to_owned(),
    }
}
