//! Elements of a SOAP message as values, and values as elements.

use muster_broker::fault::Fault;
use muster_protocol::xml::element::{Element, XSI, XmlWriter};

use super::super::NAMESPACE;
use super::super::record::Path;
use super::{At, Member, Scalar, Sink, Source};

impl Source for Element {
    fn scalar(&self) -> Result<Scalar<'_>, &'static str> {
        if self.children.is_empty() { Ok(Scalar::Lexical(&self.text)) } else { Err("elements where text is expected") }
    }

    /// The children, with or without namespace. `xsi:nil` counts as left out.
    fn members<'s>(
        &'s self,
        path: &Path<'_>,
        mut take: impl FnMut(Member<'s, Self>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if !self.text.trim().is_empty() {
            return Err(Fault::invalid(&path.to_string(), self.text.trim(), "text where elements are expected"));
        }
        for child in &self.children {
            take(Member {
                name: &child.name.local,
                is_ours: child.name.namespace.as_deref().is_none_or(|namespace| namespace == NAMESPACE),
                is_left_out: is_nil(child),
                value: child,
            })?;
        }
        Ok(())
    }

    fn entries(&self) -> Result<Option<&[Self]>, &'static str> {
        Ok(None)
    }

    fn quoted(&self) -> String {
        self.text.to_string()
    }
}

fn is_nil(element: &Element) -> bool {
    element.attribute(XSI, "nil").is_some_and(|value| matches!(value.trim(), "true" | "1"))
}

impl Sink for XmlWriter {
    fn text(&mut self, at: At<'_>, text: &str) {
        self.leaf(at.name, text);
    }

    fn number(&mut self, at: At<'_>, number: i64) {
        self.leaf(at.name, &number.to_string());
    }

    fn boolean(&mut self, at: At<'_>, is_so: bool) {
        self.leaf(at.name, if is_so { "true" } else { "false" });
    }

    fn begin(&mut self, at: At<'_>) {
        self.start(at.name, &[]);
    }

    fn end(&mut self, at: At<'_>) {
        XmlWriter::end(self, at.name);
    }

    fn begin_list(&mut self, _name: &str) {}

    fn end_list(&mut self) {}
}
