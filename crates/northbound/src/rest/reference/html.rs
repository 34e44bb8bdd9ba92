//! From the document to HTML. Only the document is looked at: what is not in it is not on the page.

use std::fmt::Write as _;

use super::super::openapi::printed;
use crate::contract::Node;

/// The page.
pub(super) fn page(document: &Node<'_>) -> String {
    let mut out = String::with_capacity(512 << 10);
    let info = get(document, "info");
    let title = text(get(info, "title"));
    out.push_str("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    let _ = write!(out, "<title>{} API reference</title>", escaped(title));
    out.push_str("<link rel=\"stylesheet\" href=\"/api/v1/docs/reference.css\">");
    out.push_str("<script defer src=\"/api/v1/docs/reference.js\"></script></head><body>");
    let _ = write!(
        out,
        "<header><a class=\"mark\" href=\"#top\">{}</a><label class=\"find\"><span>Find</span>\
         <input id=\"find\" type=\"search\" placeholder=\"operation, path or word\" autocomplete=\"off\" \
         spellcheck=\"false\"></label><a class=\"raw\" href=\"/api/v1/openapi.json\">openapi.json</a></header>",
        escaped(title)
    );
    out.push_str("<div class=\"columns\"><nav aria-label=\"Operations\"><details open><summary>Operations</summary>");
    contents(&mut out, document);
    out.push_str("</details></nav><main id=\"top\">");
    let _ = write!(out, "<h1>{}</h1>", escaped(text(get(info, "summary"))));
    prose(&mut out, text(get(info, "description")));
    out.push_str("<p id=\"none\" hidden>Nothing has these words.</p>");
    for tag in entries(get(document, "tags")) {
        let name = text(get(tag, "name"));
        let _ = write!(out, "<section class=\"group\" id=\"{}\"><h2>{}</h2>", anchor(name), escaped(name));
        prose(&mut out, text(get(tag, "description")));
        for (path, method, operation) in operations(document).filter(|(.., operation)| is_of(operation, name)) {
            one(&mut out, document, path, method, operation);
        }
        out.push_str("</section>");
    }
    schemas(&mut out, document);
    problems(&mut out, document);
    out.push_str("</main></div></body></html>\n");
    out
}

/// Links to every operation, by group.
fn contents(out: &mut String, document: &Node<'_>) {
    for tag in entries(get(document, "tags")) {
        let name = text(get(tag, "name"));
        let _ =
            write!(out, "<div class=\"group\"><a class=\"tag\" href=\"#{}\">{}</a><ul>", anchor(name), escaped(name));
        for (path, method, operation) in operations(document).filter(|(.., operation)| is_of(operation, name)) {
            let id = text(get(operation, "operationId"));
            let _ = write!(
                out,
                "<li data-words=\"{}\"><a href=\"#{}\"><span class=\"method {method}\">{method}</span>{}</a></li>",
                escaped(&words(path, method, operation)),
                anchor(id),
                escaped(path)
            );
        }
        out.push_str("</ul></div>");
    }
    out.push_str("<div><a class=\"tag\" href=\"#schemas\">Schemas</a></div>");
    out.push_str("<div><a class=\"tag\" href=\"#problems\">Problems</a></div>");
}

/// What is searched.
fn words(path: &str, method: &str, operation: &Node<'_>) -> String {
    let (id, about) = (text(get(operation, "operationId")), text(get(operation, "description")));
    format!("{method} {path} {id} {about}").to_lowercase()
}

fn one(out: &mut String, document: &Node<'_>, path: &str, method: &str, operation: &Node<'_>) {
    let id = text(get(operation, "operationId"));
    let _ = write!(
        out,
        "<article id=\"{}\" data-words=\"{}\"><h3><span class=\"method {method}\">{method}</span><code>{}</code></h3>\
         <p class=\"id\">{}</p>",
        anchor(id),
        escaped(&words(path, method, operation)),
        escaped(path).replace('/', "/<wbr>"),
        escaped(id)
    );
    prose(out, text(get(operation, "description")));
    let parameters = entries(get(operation, "parameters"));
    if !parameters.is_empty() {
        out.push_str("<h4>Parameters</h4><dl class=\"fields\">");
        for parameter in parameters {
            let place = text(get(parameter, "in"));
            let is_required = get(parameter, "required") == &Node::Boolean(true);
            field(out, text(get(parameter, "name")), Some(place), is_required, get(parameter, "schema"), parameter);
        }
        out.push_str("</dl>");
    }
    let body = get(get(get(operation, "requestBody"), "content"), "application/json");
    if body != &Node::Null {
        out.push_str("<h4>Body</h4>");
        let _ = write!(out, "<p class=\"type\">{}</p>", type_of(get(body, "schema")));
        if let Some(schema) = resolved(document, get(body, "schema")) {
            properties(out, schema);
        }
        example(out, "Example", get(body, "example"));
    }
    out.push_str("<h4>Answers</h4><dl class=\"answers\">");
    let mut refusals = Vec::new();
    for (status, response) in members(get(operation, "responses")) {
        if let Some(reference) = reference(response) {
            refusals.push(format!("<a href=\"#{}\">{}</a>", anchor(reference), escaped(status)));
            continue;
        }
        let content = get(get(response, "content"), "application/json");
        let _ = write!(out, "<dt><span class=\"status\">{}</span></dt><dd>", escaped(status));
        let _ = write!(out, "<p>{}", escaped(text(get(response, "description"))));
        if content != &Node::Null {
            let _ = write!(out, " <span class=\"type\">{}</span>", type_of(get(content, "schema")));
        }
        out.push_str("</p>");
        let headers: Vec<_> = members(get(response, "headers")).iter().map(|(name, _)| escaped(name)).collect();
        if !headers.is_empty() {
            let _ = write!(out, "<p>Headers: {}</p>", headers.join(", "));
        }
        example(out, "Example", get(content, "example"));
        out.push_str("</dd>");
    }
    if !refusals.is_empty() {
        let _ = write!(out, "<dt>Problems</dt><dd><p class=\"refusals\">{}</p></dd>", refusals.join(" "));
    }
    out.push_str("</dl></article>");
}

fn schemas(out: &mut String, document: &Node<'_>) {
    out.push_str("<section class=\"group\" id=\"schemas\"><h2>Schemas</h2>");
    for (name, schema) in members(get(get(document, "components"), "schemas")) {
        let words = format!("{name} {}", text(get(schema, "description"))).to_lowercase();
        let _ = write!(
            out,
            "<article id=\"{}\" data-words=\"{}\"><h3><code>{}</code></h3>",
            anchor(name),
            escaped(&words),
            escaped(name)
        );
        prose(out, text(get(schema, "description")));
        if members(get(schema, "properties")).is_empty() {
            let _ = write!(out, "<p class=\"type\">{}</p>", type_of(schema));
        }
        properties(out, schema);
        out.push_str("</article>");
    }
    out.push_str("</section>");
}

fn problems(out: &mut String, document: &Node<'_>) {
    out.push_str("<section class=\"group\" id=\"problems\"><h2>Problems</h2>");
    for (name, response) in members(get(get(document, "components"), "responses")) {
        let content = get(get(response, "content"), "application/problem+json");
        let names: Vec<_> = members(get(content, "examples")).iter().map(|(name, _)| name.to_lowercase()).collect();
        let status = name.trim_start_matches("Problem");
        let _ = write!(
            out,
            "<article id=\"{}\" data-words=\"problem {status} {}\"><h3><span class=\"status\">{status}</span></h3>",
            anchor(name),
            escaped(&names.join(" "))
        );
        prose(out, text(get(response, "description")));
        if let Some((_, first)) = members(get(content, "examples")).first() {
            example(out, "Example", get(first, "value"));
        }
        out.push_str("</article>");
    }
    out.push_str("</section>");
}

fn properties(out: &mut String, schema: &Node<'_>) {
    let all = members(get(schema, "properties"));
    if all.is_empty() {
        return;
    }
    let required = entries(get(schema, "required"));
    out.push_str("<dl class=\"fields\">");
    for (name, property) in all {
        let is_required = required.iter().any(|it| text(it) == name);
        field(out, name, None, is_required, property, property);
    }
    out.push_str("</dl>");
}

fn field(
    out: &mut String,
    name: &str,
    place: Option<&str>,
    is_required: bool,
    schema: &Node<'_>,
    described: &Node<'_>,
) {
    let _ = write!(out, "<dt><code>{}</code>", escaped(name));
    if is_required {
        out.push_str("<b>required</b>");
    }
    if let Some(place) = place {
        let _ = write!(out, "<i>{}</i>", escaped(place));
    }
    for (member, shown) in [("readOnly", "told only"), ("writeOnly", "never told")] {
        if get(schema, member) == &Node::Boolean(true) {
            let _ = write!(out, "<i>{shown}</i>");
        }
    }
    let _ = write!(out, "</dt><dd><span class=\"type\">{}</span> ", type_of(schema));
    let _ = write!(out, "{}</dd>", marked(text(get(described, "description"))));
}

/// A type with its bounds, on one line.
fn type_of(schema: &Node<'_>) -> String {
    if let Some(name) = reference(schema) {
        if name == "PlainText" {
            return "text".to_owned();
        }
        return format!("<a href=\"#{}\">{}</a>", anchor(name), escaped(name));
    }
    if text(get(schema, "type")) == "array" {
        let mut told = format!("list of {}", type_of(get(schema, "items")));
        for (member, shown) in [("minItems", "at least"), ("maxItems", "at most")] {
            if let Node::Whole(number) = get(schema, member) {
                let _ = write!(told, ", {shown} {number}");
            }
        }
        return told;
    }
    let values = entries(get(schema, "enum"));
    if !values.is_empty() {
        let shown = values.iter().map(|value| format!("<code>{}</code>", escaped(&plain(value))));
        return shown.collect::<Vec<_>>().join(" ");
    }
    let names = members(get(schema, "properties"));
    let mut told = match (text(get(schema, "format")), text(get(schema, "contentEncoding"))) {
        ("", "") if text(get(schema, "type")) == "object" => {
            let names: Vec<_> = names.iter().map(|(name, _)| escaped(name)).collect();
            format!("{{{}}}", names.join(", "))
        }
        ("", "") => escaped(text(get(schema, "type"))),
        ("", encoding) => escaped(encoding),
        (format, _) => escaped(format),
    };
    match (get(schema, "minimum"), get(schema, "maximum")) {
        (Node::Whole(least), Node::Whole(most)) if *most < i64::from(i32::MAX) => {
            let _ = write!(told, " {least} to {most}");
        }
        (Node::Whole(least), _) if (0..=1).contains(least) => {
            let _ = write!(told, " from {least}");
        }
        _ => {}
    }
    told
}

fn example(out: &mut String, title: &str, value: &Node<'_>) {
    if value == &Node::Null {
        return;
    }
    let json = printed(value);
    let _ = write!(out, "<details><summary>{title}</summary><pre>{}</pre></details>", escaped(json.trim_end()));
}

/// Paragraphs, each marked up.
fn prose(out: &mut String, text: &str) {
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
        let _ = write!(out, "<p>{}</p>", marked(paragraph));
    }
}

/// `code` between backticks and **bold** between asterisks.
fn marked(text: &str) -> String {
    let mut out = String::new();
    for (index, piece) in text.split('`').enumerate() {
        if index % 2 == 1 {
            let _ = write!(out, "<code>{}</code>", escaped(piece));
            continue;
        }
        for (index, piece) in piece.split("**").enumerate() {
            let piece = escaped(piece);
            out.push_str(&if index % 2 == 1 { format!("<strong>{piece}</strong>") } else { piece });
        }
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A name as the end of an address.
fn anchor(name: &str) -> String {
    name.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' }).collect()
}

const NOTHING: Node<'static> = Node::Null;

fn get<'n>(node: &'n Node<'_>, name: &str) -> &'n Node<'n> {
    members(node).iter().find(|(known, _)| known == name).map_or(&NOTHING, |(_, value)| value)
}

fn members<'n>(node: &'n Node<'_>) -> &'n [(std::borrow::Cow<'n, str>, Node<'n>)] {
    if let Node::Record(members) = node { members } else { &[] }
}

fn entries<'n>(node: &'n Node<'_>) -> &'n [Node<'n>] {
    if let Node::List(entries) = node { entries } else { &[] }
}

fn text<'n>(node: &'n Node<'_>) -> &'n str {
    if let Node::Text(text) = node { text } else { "" }
}

fn plain(node: &Node<'_>) -> String {
    if let Node::Whole(number) = node { number.to_string() } else { text(node).to_owned() }
}

/// Name of the component that a `$ref` leads to.
fn reference<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    text(get(node, "$ref")).rsplit('/').next().filter(|name| !name.is_empty())
}

fn resolved<'n>(document: &'n Node<'_>, schema: &'n Node<'_>) -> Option<&'n Node<'n>> {
    let name = reference(schema)?;
    Some(get(get(get(document, "components"), "schemas"), name))
}

fn operations<'n>(document: &'n Node<'_>) -> impl Iterator<Item = (&'n str, &'n str, &'n Node<'n>)> {
    let paths = members(get(document, "paths")).iter();
    paths.flat_map(|(path, methods)| {
        members(methods).iter().map(move |(method, operation)| (path.as_ref(), method.as_ref(), operation))
    })
}

fn is_of(operation: &Node<'_>, tag: &str) -> bool {
    entries(get(operation, "tags")).iter().any(|it| text(it) == tag)
}
