//! The description of the REST face, and its page.

use muster_northbound::rest::{addresses, description};
use serde_json::{Value, json};

use crate::world::{World, do_operation};

const CHECKED_IN: &str = include_str!("../../../../../docs/api/openapi.json");

fn document() -> Value {
    serde_json::from_str(description()).unwrap()
}

/// Every operation of the description with its path and method.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let each = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().unwrap().clone();
        methods.into_iter().map(|(method, operation)| (path.clone(), method, operation)).collect::<Vec<_>>()
    };
    paths.flat_map(each).collect()
}

/// With `MUSTER_REGENERATE` set the file is written instead of compared.
#[test]
fn the_generated_file_says_what_the_tables_say() {
    if std::env::var_os("MUSTER_REGENERATE").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api/openapi.json");
        std::fs::write(file, description()).unwrap();
        return;
    }
    assert!(
        description() == CHECKED_IN,
        "docs/api/openapi.json is not what the tables say; write it with\n\
         MUSTER_REGENERATE=1 cargo test -p muster-northbound --test it generated"
    );
}

#[test]
fn every_address_that_is_offered_is_described_once() {
    let document = document();
    let described = operations(&document);
    for address in addresses() {
        let count = described
            .iter()
            .filter(|(path, method, _)| path == address.path && *method == address.method.to_lowercase())
            .count();
        assert_eq!(count, usize::from(address.is_offered), "{} {}", address.method, address.path);
    }
    let mut ids: Vec<&str> = described.iter().map(|(_, _, it)| it["operationId"].as_str().unwrap()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    fn references(value: &Value, all: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref") {
                    all.push(reference.as_str().unwrap().trim_start_matches('#').to_owned());
                }
                members.values().for_each(|value| references(value, all));
            }
            Value::Array(entries) => entries.iter().for_each(|value| references(value, all)),
            _ => {}
        }
    }
    let document = document();
    let mut all = Vec::new();
    references(&document, &mut all);
    for reference in &all {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
    for kind in ["schemas", "headers"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            let pointer = format!("/components/{kind}/{name}");
            assert!(all.contains(&pointer), "{pointer} is used by nothing");
        }
    }
}

#[tokio::test]
async fn examples_of_bodies_are_requests_that_are_understood() {
    let (world, session) = World::with_session().await;
    for (path, method, operation) in operations(&document()) {
        let Some(body) = operation.pointer("/requestBody/content/application~1json/example") else { continue };
        let filled: Vec<&str> =
            path.split('/').map(|part| if part.starts_with('{') { "nobody" } else { part }).collect();
        let reply = world.rest(&method.to_uppercase(), &filled.join("/"), Some(&session), Some(body.clone())).await;
        // Of these, one of two parameters is needed.
        if path == "/dead-letters:replay" {
            continue;
        }
        // The user of the example is nobody here.
        if path == "/sessions" {
            reply.is_problem(401, "NotAuthenticated", &[]);
        } else {
            assert_ne!(reply.status, 400, "{method} {path} {body}: {}", reply.text);
            assert_ne!(reply.status, 415, "{method} {path}");
        }
    }
}

/// Of each number and text of a body, and of its schedule, what is one beyond the document; the path of its place.
fn beyond(document: &Value, schema: &Value, at: &str) -> Vec<(String, Value)> {
    let resolved = |schema: &'_ Value| match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap().clone(),
        None => schema.clone(),
    };
    let mut all = Vec::new();
    for (name, property) in resolved(schema)["properties"].as_object().unwrap() {
        // What no tenant can be called is the name of none.
        if property["readOnly"] == true || name == "tenant" {
            continue;
        }
        let (place, property) = (format!("{at}/{name}"), resolved(property));
        let whole = |name: &str| property[name].as_i64();
        all.extend(whole("minimum").and_then(|least| least.checked_sub(1)).map(|it| (place.clone(), json!(it))));
        all.extend(whole("maximum").and_then(|most| most.checked_add(1)).map(|it| (place.clone(), json!(it))));
        let longer = |most: i64| json!("x".repeat(usize::try_from(most).unwrap() + 1));
        all.extend(whole("maxLength").map(|most| (place.clone(), longer(most))));
        if name == "schedule" {
            all.extend(beyond(document, &property, &place));
        }
    }
    all
}

#[tokio::test]
async fn what_is_one_beyond_the_document_is_refused_by_its_name() {
    let (world, session) = World::with_session().await;
    let document = document();
    let mut tried = 0;
    for (path, method, operation) in operations(&document) {
        let Some(body) = operation.pointer("/requestBody/content/application~1json") else { continue };
        // Records that are not there are unknown, whatever is said of them; the examples name certificates in the other
        // of two ways; and nothing is bootstrapped here.
        if path.contains('{') || path.contains("certificate") || path == "/tasks:bootstrap" {
            continue;
        }
        for (place, value) in beyond(&document, &body["schema"], "") {
            let mut wrong = body["example"].clone();
            let (parent, name) = place.rsplit_once('/').unwrap();
            if let Some(record) = wrong.pointer_mut(parent).and_then(Value::as_object_mut) {
                record.insert(name.to_owned(), value);
            } else {
                wrong["schedule"] = json!({ name: value });
            }
            let reply = world.rest(&method.to_uppercase(), path.as_str(), Some(&session), Some(wrong)).await;
            // The caller is no administrator of every tenant.
            if reply.status == 403 && path == "/tenants" {
                continue;
            }
            assert_eq!(reply.status, 400, "{method} {path} {place}: {}", reply.text);
            let variable = reply.json()["variables"][0].as_str().unwrap_or_default().to_owned();
            assert!(variable.ends_with(name), "{method} {path} {place}: {variable}");
            tried += 1;
        }
    }
    assert!(tried > 50, "{tried}");
}

#[tokio::test]
async fn description_and_page_are_served_to_everyone_and_need_nothing_from_elsewhere() {
    let world = World::new().await;
    for (path, content_type) in [
        ("/openapi.json", "application/json"),
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/reference.css", "text/css; charset=utf-8"),
        ("/docs/reference.js", "text/javascript; charset=utf-8"),
    ] {
        let reply = world.rest("GET", path, None, None).await;
        assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, Some(content_type)), "{path}");
        assert!(reply.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
        let tag = reply.header("etag").unwrap().to_owned();
        let held = world.rest_with("GET", path, None, &[("if-none-match", &tag)], None).await;
        assert_eq!((held.status.as_u16(), held.text.as_str()), (304, ""));
        let head = world.rest("HEAD", path, None, None).await;
        assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
        world.rest("POST", path, None, None).await.is_problem(405, "UnknownMessage", &[]);
    }
    let refused = world.rest_with("GET", "/docs", None, &[("accept", "application/json")], None).await;
    refused.is_problem(406, "InvalidArgument", &["Accept"]);

    let page = world.rest("GET", "/docs", None, None).await.text;
    for (_, _, operation) in operations(&document()) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(page.contains(&format!("<article id=\"{id}\"")), "{id}");
    }
    for forbidden in ["http://", "<style", "style=", "onclick", "<script>", "src=\"//", "javascript:"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let foreign = page.split("https://").skip(1).filter(|rest| !rest.starts_with("partner.example/"));
    assert_eq!(foreign.count(), 0);
}

#[tokio::test]
async fn answers_have_the_members_of_their_schemas_and_no_others() {
    fn check(document: &Value, schema: &Value, value: &Value, at: &str) {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = document.pointer(reference.trim_start_matches('#')).unwrap();
            return check(document, target, value, at);
        }
        if let Some(values) = schema["enum"].as_array() {
            assert!(values.contains(value), "{at}: {value}");
        }
        match schema["type"].as_str().unwrap_or_else(|| panic!("{at}: {schema}")) {
            "object" => {
                let members = value.as_object().unwrap_or_else(|| panic!("{at}: {value}"));
                for (name, value) in members {
                    let property = &schema["properties"][name];
                    assert!(!property.is_null(), "{at}.{name} is not described");
                    check(document, property, value, &format!("{at}.{name}"));
                }
                for name in schema["required"].as_array().into_iter().flatten() {
                    assert!(members.contains_key(name.as_str().unwrap()), "{at}: {name} is missing");
                }
            }
            "array" => {
                for entry in value.as_array().unwrap() {
                    check(document, &schema["items"], entry, at);
                }
            }
            "string" => assert!(value.is_string(), "{at}: {value}"),
            "integer" => assert!(value.is_i64(), "{at}: {value}"),
            "boolean" => assert!(value.is_boolean(), "{at}: {value}"),
            other => panic!("{at}: {other}"),
        }
    }
    let document = document();
    let (world, session) = World::with_session().await;
    world.call(crate::world::BOTH[0], "doOperation", &do_operation(&session)).await;
    let mut count = 0;
    for (path, method, operation) in operations(&document) {
        let Some((status, response)) = operation["responses"].as_object().unwrap().iter().next() else { continue };
        let Some(content) = response.pointer("/content/application~1json") else { continue };
        check(&document, &content["schema"], &content["example"], &format!("{path} {method} example"));
        if method != "get" || path.contains('{') && !path.starts_with("/devices/{deviceID}") || path == "/tasks" {
            continue;
        }
        let filled = path.replace("{deviceID}", "IMEI:490154203237518");
        let reply = world.rest("GET", &filled, Some(&session), None).await;
        if reply.status.as_u16().to_string() == *status {
            check(&document, &content["schema"], &reply.json(), &path);
            count += 1;
        }
    }
    assert!(count >= 8, "{count}");
    let list = world.rest("GET", "/tasks?createdSince=2026-01-01T00:00:00Z", Some(&session), None).await;
    check(&document, &serde_json::json!({"$ref": "#/components/schemas/TaskList"}), &list.json(), "/tasks");
    let refused = world.rest("GET", "/tasks/nobody", Some(&session), None).await;
    check(&document, &document["components"]["schemas"]["Problem"], &refused.json(), "problem");
}
