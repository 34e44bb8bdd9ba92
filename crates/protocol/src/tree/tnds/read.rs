use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::element::{DocumentError, Element};
use super::super::{Format, TStamp};
use super::{Document, Entry, Kind, content};
use crate::limits::Limits;
use crate::syncml::Text;

impl Document {
    /// Reads a document in XML or WBXML; its first octet tells which.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn read(document: &[u8], limits: &Limits) -> Result<Self, DocumentError> {
        let root = Element::read(document, limits)?;
        let nodes: Vec<Entry> = root.named("Node").map(|it| entry(it, true)).collect::<Result<_, _>>()?;
        if nodes.is_empty() {
            return Err(DocumentError::Missing { element: "Node", inside: "MgmtTree" });
        }
        Ok(Self { nodes })
    }
}

fn entry(element: &Element, is_top: bool) -> Result<Entry, DocumentError> {
    let name = element.child("NodeName").ok_or(DocumentError::Missing { element: "NodeName", inside: "Node" })?.text();
    if name.is_empty() && !is_top {
        return Err(wrong("NodeName", "no name, and is not directly below MgmtTree"));
    }
    let properties = element.child("RTProperties");
    let property = |name: &str| properties.and_then(|it| it.child(name));
    let format = property("Format").map(format).transpose()?;
    let acl = property("ACL").map(|it| it.text().parse()).transpose();
    let acl = acl.map_err(|why: super::super::AclError| wrong("ACL", &why.to_string()))?;
    let kind = property("Type").map_or(Kind::None, kind);
    let value = element.child("Value").map(|it| value(it, format)).transpose()?;
    let children: Vec<Entry> = element.named("Node").map(|it| entry(it, false)).collect::<Result<_, _>>()?;
    Ok(Entry {
        name: name.into(),
        path: if is_top { element.text_of("Path").map(Text::from) } else { None },
        acl,
        title: property("Title").map(|it| Text::from(it.text())).filter(|it| !it.is_empty()),
        t_stamp: property("TStamp").and_then(|it| TStamp::parse(it.text())),
        ver_no: property("VerNo").and_then(|it| it.text().parse().ok()),
        content: content(format, kind, value, !children.is_empty()),
        children,
    })
}

/// `Format` holds an empty element of the format's name; clients are seen to write the name as text.
fn format(element: &Element) -> Result<Format, DocumentError> {
    let name = element.children.first().map_or_else(|| element.text(), |it| it.name.as_str());
    Format::parse(name).ok_or_else(|| wrong("Format", &format!("{:?}, which is none", shortened(name))))
}

/// `Type` holds `MIME` or `DDFName`; clients are seen to write the type as text.
fn kind(element: &Element) -> Kind {
    let some = |text: &str, kind: fn(Text) -> Kind| if text.is_empty() { Kind::None } else { kind(text.into()) };
    match (element.text_of("MIME"), element.text_of("DDFName")) {
        (Some(mime), _) => some(mime, Kind::Mime),
        // An empty one still says that the node is an interior one, and so does a missing format.
        (None, Some(object)) => some(object, Kind::Object),
        (None, None) => {
            let text = element.text();
            let is_mime = text.contains('/') && text.matches('/').count() == 1;
            some(text, if is_mime { Kind::Mime } else { Kind::Object })
        }
    }
}

/// Octets are base64, but those that WBXML carries as octets under the format `bin`.
fn value(element: &Element, format: Option<Format>) -> Result<Vec<u8>, DocumentError> {
    let octets = element.octets();
    match format {
        Some(Format::Bin) if element.is_opaque => Ok(octets.to_vec()),
        Some(Format::B64 | Format::Bin) => {
            let dense: Vec<u8> = octets.iter().copied().filter(|it| !it.is_ascii_whitespace()).collect();
            STANDARD.decode(dense).map_err(|_| wrong("Value", "no base64, which its format needs"))
        }
        _ => Ok(octets.to_vec()),
    }
}

fn wrong(element: &'static str, what: &str) -> DocumentError {
    DocumentError::Wrong { element, what: what.into() }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
