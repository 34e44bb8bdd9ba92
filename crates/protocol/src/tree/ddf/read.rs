use super::super::element::{DocumentError, Element};
use super::super::{Access, Format};
use super::{DdfNode, Description, Occurrence};
use crate::limits::Limits;
use crate::syncml::Text;

impl Description {
    /// Reads a description in XML or WBXML. Elements that the grammar does not have are passed over.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn read(document: &[u8], limits: &Limits) -> Result<Self, DocumentError> {
        let root = Element::read(document, limits)?;
        let top = root.child("Node").ok_or(DocumentError::Missing { element: "Node", inside: "MgmtTree" })?;
        let kind = properties(top)?.child("DFType");
        Ok(Self {
            object: kind.and_then(|it| it.text_of("DDFName")).unwrap_or_default().into(),
            path: top.text_of("Path").unwrap_or(".").into(),
            root: node(top)?,
        })
    }
}

fn properties(element: &Element) -> Result<&Element, DocumentError> {
    element.child("DFProperties").ok_or(DocumentError::Missing { element: "DFProperties", inside: "Node" })
}

fn node(element: &Element) -> Result<DdfNode, DocumentError> {
    let name = element.child("NodeName").ok_or(DocumentError::Missing { element: "NodeName", inside: "Node" })?.text();
    let properties = properties(element)?;
    let text = |name: &str| properties.text_of(name).filter(|it| !it.is_empty()).map(Text::from);
    let names = |name: &str| properties.child(name).into_iter().flat_map(|it| &it.children);
    let formats: Vec<Format> = names("DFFormat").filter_map(|it| Format::parse(&it.name)).collect();
    if formats.is_empty() {
        return Err(DocumentError::Missing { element: "DFFormat", inside: "DFProperties" });
    }
    let access = names("AccessType").filter_map(|it| Access::named(&it.name)).fold(Access::NONE, Access::and);
    Ok(DdfNode {
        // Vendors write * where the grammar has no name.
        name: Some(name).filter(|it| !matches!(*it, "" | "*")).map(Text::from),
        formats,
        access,
        occurrence: names("Occurrence").next().map_or(Ok(Occurrence::One), occurrence)?,
        is_permanent: names("Scope").next().is_none_or(|it| it.name == "Permanent"),
        title: text("DFTitle"),
        description: text("Description"),
        default: text("DefaultValue"),
        mime: names("DFType").filter(|it| it.name == "MIME").map(|it| Text::from(it.text())).collect(),
        is_case_sensitive: names("CaseSense").next().is_none_or(|it| it.name != "CIS"),
        children: element.named("Node").map(node).collect::<Result<_, _>>()?,
    })
}

fn occurrence(element: &Element) -> Result<Occurrence, DocumentError> {
    let wrong = |what: &str| DocumentError::Wrong { element: "Occurrence", what: what.into() };
    let number = || element.text().parse().map_err(|_| wrong("no number of nodes"));
    Ok(match element.name.as_str() {
        "One" => Occurrence::One,
        "ZeroOrOne" => Occurrence::ZeroOrOne,
        "ZeroOrMore" => Occurrence::ZeroOrMore,
        "OneOrMore" => Occurrence::OneOrMore,
        "ZeroOrN" => Occurrence::ZeroOrN(number()?),
        "OneOrN" => Occurrence::OneOrN(number()?),
        _ => return Err(wrong("an element that is none of its own")),
    })
}
