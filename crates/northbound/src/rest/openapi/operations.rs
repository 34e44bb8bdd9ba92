//! Paths and what can be done at each.

use std::borrow::Cow;

use super::super::parameters::{PAGE, PAIRS, Slot, field_of, query_slots, takes_version};
use super::super::routes::{Method, Part, ROUTES, Route, When, parts};
use super::{bounds, first_sentence, object, patterns, problems, samples, schemas};
use crate::contract::{FieldDescriptor, Kind, Node, Operation};

type Members = Vec<(Cow<'static, str>, Node<'static>)>;

/// What a group of operations is called: by what they are about, which is the first segment of the path.
fn tag_of(route: &Route) -> String {
    let first = route.path.trim_start_matches('/').split(['/', ':']).next().unwrap_or_default();
    match first {
        "device-records" => "Devices".to_owned(),
        "operation-definitions" => "Tasks".to_owned(),
        other => upper(&other.replace('-', " ")),
    }
}

fn upper(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + characters.as_str())
}

/// The groups, in the order of the table.
pub(super) fn tags(routes: &[&'static Route]) -> Node<'static> {
    let mut seen: Vec<(String, Vec<&'static str>)> = Vec::new();
    for route in routes {
        let (tag, port_type) = (tag_of(route), route.operation.descriptor().port_type);
        match seen.iter_mut().find(|(known, _)| *known == tag) {
            Some((_, port_types)) if port_types.contains(&port_type) => {}
            Some((_, port_types)) => port_types.push(port_type),
            None => seen.push((tag, vec![port_type])),
        }
    }
    let tag = |(tag, port_types): (String, Vec<&'static str>)| {
        object! { "name": tag, "description": format!("Over SOAP: {}.", port_types.join(" and ")) }
    };
    seen.into_iter().map(tag).collect::<Vec<_>>().into()
}

/// Every path, in the order of the table.
pub(super) fn paths(routes: &[&'static Route]) -> Node<'static> {
    let mut paths: Vec<(&'static str, Members)> = Vec::new();
    for route in routes {
        if route.when != When::Else {
            continue;
        }
        let together: Vec<&'static Route> =
            routes.iter().copied().filter(|other| other.path == route.path && other.method == route.method).collect();
        let member = (Cow::Owned(route.method.as_str().to_ascii_lowercase()), operation(route, &together));
        match paths.iter_mut().find(|(path, _)| *path == route.path) {
            Some((_, members)) => members.push(member),
            None => paths.push((route.path, vec![member])),
        }
    }
    paths.into_iter().map(|(path, members)| (Cow::Borrowed(path), Node::Record(members))).collect::<Vec<_>>().into()
}

/// One operation; `together` are all that its query chooses from, itself among them.
fn operation(route: &'static Route, together: &[&'static Route]) -> Node<'static> {
    let descriptor = route.operation.descriptor();
    let mut members: Members = vec![
        (Cow::Borrowed("operationId"), route.id().into()),
        (Cow::Borrowed("tags"), vec![Node::from(tag_of(route))].into()),
        (Cow::Borrowed("summary"), first_sentence(descriptor.about).into()),
        (Cow::Borrowed("description"), description(route, together).into()),
    ];
    if route.operation == Operation::Login {
        members.push((Cow::Borrowed("security"), Node::List(Vec::new())));
    }
    let parameters = parameters(route, together);
    if !parameters.is_empty() {
        members.push((Cow::Borrowed("parameters"), parameters.into()));
    }
    if let Some(schema) = schemas::body(route) {
        members.push((
            Cow::Borrowed("requestBody"),
            object! {
                "required": needs_body(route),
                "content": object! {
                    "application/json": object! { "schema": schema, "example": samples::body(route) },
                },
            },
        ));
    }
    members.push((Cow::Borrowed("responses"), responses(route)));
    Node::Record(members)
}

/// Whether a request without a body is refused.
fn needs_body(route: &Route) -> bool {
    route.body.is_some()
        || !bounds::any_of(&owner_of(route)).is_empty()
        || super::super::parameters::body_fields(route).iter().any(|(_, field)| field.cardinality.is_required())
}

fn description(route: &Route, together: &[&'static Route]) -> String {
    let descriptor = route.operation.descriptor();
    let mut text = descriptor.about.to_owned();
    for other in together.iter().filter(|other| other.when != When::Else) {
        let about = other.operation.descriptor().about;
        let by = match other.when {
            When::Given(names) => names.join("` or `"),
            When::Flag(name) => format!("{name}=true"),
            When::Else => continue,
        };
        text.push_str(&format!("\n\nWith `{by}`: {about}"));
    }
    let rights: Vec<String> = descriptor.rights.iter().map(|(object, right)| format!("`{object}.{right}`")).collect();
    if !rights.is_empty() {
        text.push_str(&format!("\n\nNeeds the right {}.", rights.join(" and ")));
    }
    text.push_str(&format!("\n\nOver SOAP: `{}` of `{}`.", descriptor.name, descriptor.port_type));
    text
}

fn parameters(route: &'static Route, together: &[&'static Route]) -> Vec<Node<'static>> {
    let owner = owner_of(route);
    let mut all = Vec::new();
    for part in parts(route.path) {
        let Part::Parameter(name) = part else { continue };
        let in_body = || super::super::parameters::body_record(route)?.fields.iter().find(|field| field.name == name);
        let Some(field) = field_of(route, name).or_else(in_body) else { continue };
        let mut schema = schemas::value(field, &owner);
        // An empty segment is no address.
        if let (Node::Record(members), Kind::BuiltIn("xs:string")) = (&mut schema, field.kind) {
            *members = vec![
                (Cow::Borrowed("type"), "string".into()),
                (Cow::Borrowed("minLength"), 1_i64.into()),
                (Cow::Borrowed("pattern"), patterns::PLAIN.into()),
            ];
        }
        all.push(parameter(name, "path", true, field.about, schema, None));
    }
    let mut seen: Vec<&str> = Vec::new();
    for other in together {
        for (name, slot) in query_slots(other) {
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            all.extend(query_parameter(other, name, slot, together.len() == 1));
        }
    }
    all.extend(header_parameters(route));
    all
}

fn query_parameter(route: &Route, name: &'static str, slot: Slot, is_alone: bool) -> Option<Node<'static>> {
    let (owner, field) = match slot {
        Slot::Field(field) => (owner_of(route), field),
        Slot::Below(parent, field) => (parent.kind.name().to_owned(), field),
        Slot::Flag => {
            let about = "True: only the record that fits best.";
            return Some(parameter(name, "query", false, about, object! { "type": "boolean" }, None));
        }
        Slot::OnlyPage => return None,
    };
    let about = if PAGE.iter().any(|(shown, _)| *shown == name) { page_about(name) } else { field.about };
    let is_required = is_alone && field.cardinality.is_required();
    if field.name == PAIRS && matches!(field.kind, Kind::Record(_)) {
        let schema = object! { "type": "array", "items": object! { "type": "string", "pattern": patterns::PAIR } };
        return Some(parameter(name, "query", false, "Exact value of a further attribute: name=value.", schema, None));
    }
    Some(parameter(name, "query", is_required, about, schemas::value(field, &owner), None))
}

fn page_about(name: &str) -> &'static str {
    if name == "limit" {
        "Most entries to return; 100 when left out, never more than 1000."
    } else {
        "nextCursor of the previous answer; left out for the first page."
    }
}

fn header_parameters(route: &Route) -> Vec<Node<'static>> {
    let mut all = Vec::new();
    if field_of(route, "requestId").is_some() {
        let about = "A key of the caller's own: the same request with the same key gets the first answer again, without a \
                     second effect. The same as requestId over SOAP.";
        all.push(parameter("Idempotency-Key", "header", false, about, bounds::key(), Some("order-4711".into())));
    }
    if takes_version(route) {
        let about = "ETag of the record as the caller saw it: the request is refused if it has changed since.";
        let schema = object! { "type": "string", "pattern": "^(\\*|(W/)?\"[!#-+.-~-]*\")$" };
        all.push(parameter("If-Match", "header", false, about, schema, Some("\"3-9f2c41d07be58a16\"".into())));
    }
    if has_tag(route) && route.method == Method::Get {
        let about = "ETag of the record that the caller holds: 304 without body if it is still the same.";
        let schema = object! { "type": "string" };
        all.push(parameter("If-None-Match", "header", false, about, schema, None));
    }
    all
}

/// Whether answers of a route have an entity tag.
fn has_tag(route: &Route) -> bool {
    let Some(Kind::Record(record)) = route.operation.descriptor().result.as_ref().map(|result| result.kind) else {
        return false;
    };
    let is_version = |field: &FieldDescriptor| {
        matches!(field.name, "version" | "recordVersion") && field.kind == Kind::BuiltIn("xs:long")
    };
    !route.is_query && record.fields.iter().any(is_version)
}

fn owner_of(route: &Route) -> String {
    upper(route.operation.descriptor().name)
}

fn parameter(
    name: &'static str,
    place: &'static str,
    is_required: bool,
    about: &'static str,
    schema: Node<'static>,
    example: Option<Node<'static>>,
) -> Node<'static> {
    let example = example.or_else(|| samples::parameter(name));
    let mut members: Members = vec![
        (Cow::Borrowed("name"), name.into()),
        (Cow::Borrowed("in"), place.into()),
        (Cow::Borrowed("required"), is_required.into()),
        (Cow::Borrowed("description"), about.into()),
        (Cow::Borrowed("schema"), schema),
    ];
    if let Some(example) = example {
        members.push((Cow::Borrowed("example"), example));
    }
    Node::Record(members)
}

/// Headers of answers.
pub(super) fn headers() -> Node<'static> {
    let text = |about: &'static str| object! { "description": about, "schema": object! { "type": "string" } };
    object! {
        "ETag": text("Tag of the record in this version, for If-Match and If-None-Match."),
        "Location": object! {
            "description": "Address of what was made.",
            "schema": object! { "type": "string", "format": "uri-reference" },
        },
        "Retry-After": object! {
            "description": "After how many seconds to try again.",
            "schema": object! { "type": "integer", "minimum": 0 },
        },
        "WWW-Authenticate": text("Which credentials are taken."),
    }
}

fn responses(route: &Route) -> Node<'static> {
    let mut all: Members = vec![(Cow::Owned(route.status.to_string()), success(route))];
    if has_tag(route) && route.method == Method::Get {
        all.push((
            Cow::Borrowed("304"),
            object! {
                "description": "The record is the one that the caller holds.",
                "headers": object! { "ETag": object! { "$ref": "#/components/headers/ETag" } },
            },
        ));
    }
    for status in statuses(route) {
        let reference = format!("#/components/responses/{}", problems::name_of(status));
        all.push((Cow::Owned(status.to_string()), object! { "$ref": reference }));
    }
    all.into()
}

fn success(route: &Route) -> Node<'static> {
    let about = match route.status {
        201 => "Made.",
        202 => "Accepted and stored durably.",
        204 => "Done; there is nothing to tell.",
        _ => "The answer.",
    };
    let mut headers: Members = Vec::new();
    let referring =
        |name: &'static str| (Cow::Borrowed(name), object! { "$ref": format!("#/components/headers/{name}") });
    if has_tag(route) {
        headers.push(referring("ETag"));
    }
    if !route.location.is_empty() || route.operation == Operation::Login {
        headers.push(referring("Location"));
    }
    let mut members: Members = vec![(Cow::Borrowed("description"), about.into())];
    if !headers.is_empty() {
        members.push((Cow::Borrowed("headers"), headers.into()));
    }
    if let Some(schema) = schemas::answer(route) {
        members.push((
            Cow::Borrowed("content"),
            object! {
                "application/json": object! { "schema": schema, "example": samples::answer(route) },
            },
        ));
    }
    let links = links(route);
    if !links.is_empty() {
        members.push((Cow::Borrowed("links"), links.into()));
    }
    Node::Record(members)
}

/// What can be done next with what an answer names.
fn links(route: &Route) -> Members {
    let mut links: Members = Vec::new();
    for (prefix, member) in route.location {
        let expression = match repeats(route, member) {
            Some(true) => format!("$response.body#/{member}/0"),
            Some(false) => format!("$response.body#/{member}"),
            None => continue,
        };
        let path = format!("{prefix}{{{member}}}");
        for next in ROUTES.iter().filter(|next| next.path.starts_with(&path) && next.when == When::Else) {
            // Only what is named completely by this one value, and is there to be asked for afterwards.
            let count = parts(next.path).filter(|part| matches!(part, Part::Parameter(_))).count();
            if count != 1 || next.method == Method::Delete || links.iter().any(|(id, _)| *id == next.id()) {
                continue;
            }
            let parameters = vec![(Cow::Borrowed(*member), Node::from(expression.clone()))];
            let link = object! { "operationId": next.id(), "parameters": parameters };
            links.push((Cow::Borrowed(next.id()), link));
        }
    }
    links
}

/// Whether a member of the answer is a list; nothing if there is no such member.
fn repeats(route: &Route, member: &str) -> Option<bool> {
    let result = route.operation.descriptor().result.as_ref()?;
    match result.kind {
        Kind::Record(record) => {
            record.fields.iter().find(|field| field.name == member).map(|field| field.cardinality.repeats())
        }
        Kind::BuiltIn(_) | Kind::Named(_) => (result.name == member).then_some(false),
    }
}

/// Statuses of refusals that a route can have.
fn statuses(route: &Route) -> Vec<u16> {
    let has_body = schemas::body(route).is_some();
    let is_write = route.method != Method::Get;
    let mut all = vec![400, 401, 404, 406, 429, 500, 503];
    if !route.operation.descriptor().rights.is_empty() {
        all.push(403);
    }
    if has_body {
        all.extend([408, 415]);
    }
    // The address alone can be too large.
    all.push(413);
    if is_write && route.operation != Operation::Login {
        all.extend([409, 422]);
    }
    if takes_version(route) {
        all.push(412);
    }
    all.sort_unstable();
    all
}
