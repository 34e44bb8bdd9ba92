//! Adds to the published descriptions what the tables of the contract have and these lack: operations, records, simple
//! types, port types. What is described already is left alone, since it says more than the tables do.
//!
//! `cargo run -p muster-northbound --example describe -- docs/api`; twice changes nothing more. What a table no longer
//! has is taken out by hand; a test finds it.
#![allow(clippy::print_stdout, reason = "it tells what it wrote")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use muster_northbound::contract::{
    Cardinality, FieldDescriptor, Kind, NAMESPACE, NamedType, OperationDescriptor, TypeDescriptor, operations,
};

/// What a port type is for, where the documents do not say so yet.
const ABOUT: &[(&str, &str)] = &[(
    "IAdministrationServices",
    "Who may use the server, how much, and what a second person decides; an addition to the contract.",
)];

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "docs/api".to_owned()));
    for (file, add) in [
        ("dmwsi.xsd", schema as fn(&str) -> String),
        ("dmwsi.wsdl", |text| description(text, "SoapBinding", "1.1")),
        ("dmwsi-soap12.wsdl", |text| description(text, "Soap12Binding", "1.2")),
    ] {
        let path = folder.join(file);
        let before = std::fs::read_to_string(&path)?;
        let after = add(&before);
        println!("{}: {} octets more", path.display(), after.len().saturating_sub(before.len()));
        std::fs::write(path, after)?;
    }
    Ok(())
}

fn escaped(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn about(indent: &str, text: &str) -> String {
    let text = escaped(text);
    format!("{indent}<xs:annotation><xs:documentation>{text}</xs:documentation></xs:annotation>\n")
}

fn schema(before: &str) -> String {
    let mut new = String::new();
    let mut records: Vec<&TypeDescriptor> = Vec::new();
    let mut simple: Vec<&NamedType> = Vec::new();
    for operation in operations() {
        operation.fields.iter().chain(&operation.result).for_each(|field| collect(field, &mut records, &mut simple));
    }
    let is_missing = |kind: &str, name: &str| !before.contains(&format!("<xs:{kind} name=\"{name}\">"));
    for named in simple.iter().filter(|named| is_missing("simpleType", named.name)) {
        let _ =
            writeln!(new, "  <xs:simpleType name=\"{}\">\n    <xs:restriction base=\"{}\">", named.name, named.base);
        for value in named.values {
            let _ = writeln!(new, "      <xs:enumeration value=\"{value}\"/>");
        }
        new.push_str("    </xs:restriction>\n  </xs:simpleType>\n");
    }
    for record in records.iter().filter(|record| is_missing("complexType", record.name)) {
        let _ = writeln!(new, "  <xs:complexType name=\"{}\">", record.name);
        new.push_str(&about("    ", record.about));
        sequence(&mut new, "    ", record.fields.iter());
        new.push_str("  </xs:complexType>\n");
    }
    for operation in operations()
        .iter()
        .filter(|it| !before.contains(&format!("  <xs:element name=\"{}\">\n    <xs:annotation>", it.name)))
    {
        let _ = writeln!(new, "  <xs:element name=\"{}\">", operation.name);
        new.push_str(&about("    ", operation.about));
        new.push_str("    <xs:complexType>\n");
        sequence(&mut new, "      ", operation.fields.iter());
        new.push_str("    </xs:complexType>\n  </xs:element>\n");
        let _ = writeln!(new, "  <xs:element name=\"{}Response\">", operation.name);
        new.push_str(&about("    ", &format!("Answer to {}.", operation.name)));
        new.push_str("    <xs:complexType>\n");
        sequence(&mut new, "      ", operation.result.iter());
        new.push_str("    </xs:complexType>\n  </xs:element>\n");
    }
    inserted(before, "</xs:schema>", &new)
}

fn collect(
    field: &'static FieldDescriptor,
    records: &mut Vec<&'static TypeDescriptor>,
    simple: &mut Vec<&'static NamedType>,
) {
    match field.kind {
        Kind::BuiltIn(_) => {}
        Kind::Named(named) if simple.iter().any(|known| known.name == named.name) => {}
        Kind::Named(named) => simple.push(named),
        Kind::Record(record) if records.iter().any(|known| known.name == record.name) => {}
        Kind::Record(record) => {
            records.push(record);
            record.fields.iter().for_each(|field| collect(field, records, simple));
        }
    }
}

fn sequence(new: &mut String, indent: &str, fields: impl ExactSizeIterator<Item = &'static FieldDescriptor>) {
    if fields.len() == 0 {
        let _ = writeln!(new, "{indent}<xs:sequence/>");
        return;
    }
    let _ = writeln!(new, "{indent}<xs:sequence>");
    for field in fields {
        let kind = match field.kind {
            Kind::BuiltIn(name) => name.to_owned(),
            Kind::Named(_) | Kind::Record(_) => format!("tns:{}", field.kind.name()),
        };
        let often = match field.cardinality {
            Cardinality::One => "",
            Cardinality::Optional => " minOccurs=\"0\"",
            Cardinality::Many => " minOccurs=\"0\" maxOccurs=\"unbounded\"",
            Cardinality::Some => " maxOccurs=\"unbounded\"",
        };
        let _ = writeln!(new, "{indent}  <xs:element name=\"{}\" type=\"{kind}\"{often}>", field.name);
        new.push_str(&about(&format!("{indent}    "), field.about));
        let _ = writeln!(new, "{indent}  </xs:element>");
    }
    let _ = writeln!(new, "{indent}</xs:sequence>");
}

/// A WSDL whose bindings are named with this ending.
fn description(before: &str, ending: &str, version: &str) -> String {
    let mut text = before.to_owned();
    let missing = operations().iter().filter(|it| !before.contains(&format!("<wsdl:message name=\"{}\">", it.name)));
    let missing: Vec<&OperationDescriptor> = missing.collect();
    let port_types: BTreeSet<&str> = missing.iter().map(|operation| operation.port_type).collect();
    for port_type in port_types {
        let of_it = || missing.iter().filter(move |operation| operation.port_type == port_type);
        let header = format!("  <!-- {port_type}: messages -->\n");
        let mut messages = String::new();
        let (mut abstract_, mut bound) = (String::new(), String::new());
        for operation in of_it() {
            let name = operation.name;
            for message in [name.to_owned(), format!("{name}Response")] {
                let _ = writeln!(messages, "  <wsdl:message name=\"{message}\">");
                let _ = writeln!(messages, "    <wsdl:part name=\"parameters\" element=\"tns:{message}\"/>");
                messages.push_str("  </wsdl:message>\n");
            }
            abstract_.push_str(&abstract_operation(operation));
            bound.push_str(&bound_operation(operation));
        }
        if !text.contains(&header) {
            text = inserted(&text, "  <wsdl:portType", &format!("{header}\n"));
        }
        text = text.replacen(&header, &format!("{header}{messages}"), 1);
        let opening = format!("  <wsdl:portType name=\"{port_type}\">");
        let binding = format!("  <wsdl:binding name=\"{port_type}{ending}\" type=\"tns:{port_type}\">");
        if !text.contains(&opening) {
            let about = ABOUT.iter().find(|(name, _)| *name == port_type).map_or("", |(_, about)| *about);
            let document = format!("    <wsdl:documentation>{about}</wsdl:documentation>\n");
            text = inserted(&text, "  <wsdl:binding", &format!("{opening}\n{document}  </wsdl:portType>\n\n"));
            let what = format!("{port_type} by SOAP {version} over HTTP, document/literal wrapped.");
            let transport = "http://schemas.xmlsoap.org/soap/http";
            let head = format!(
                "{binding}\n    <wsdl:documentation>{what}</wsdl:documentation>\n    \
                 <soap:binding style=\"document\" transport=\"{transport}\"/>\n  </wsdl:binding>\n\n"
            );
            text = inserted(&text, "  <wsdl:service", &head);
            let port = format!(
                "    <wsdl:port name=\"{port_type}Port\" binding=\"tns:{port_type}{ending}\">\n{}      \
                 <soap:address location=\"http://localhost:8080/wsi\"/>\n    </wsdl:port>\n",
                document.replace("    <", "      <")
            );
            text = inserted(&text, "  </wsdl:service>", &port);
        }
        text = inserted_after(&text, &opening, "  </wsdl:portType>", &abstract_);
        text = inserted_after(&text, &binding, "  </wsdl:binding>", &bound);
    }
    text
}

fn abstract_operation(operation: &OperationDescriptor) -> String {
    let (name, action) = (operation.name, operation.action());
    let about = escaped(operation.about);
    format!(
        "    <wsdl:operation name=\"{name}\">\n      <wsdl:documentation>{about}</wsdl:documentation>\n      \
         <wsdl:input message=\"tns:{name}\" wsam:Action=\"{action}\"/>\n      \
         <wsdl:output message=\"tns:{name}Response\" wsam:Action=\"{action}Response\"/>\n      \
         <wsdl:fault name=\"ServiceException\" message=\"tns:ServiceException\" wsam:Action=\"{action}:Fault:ServiceException\"/>\n      \
         <wsdl:fault name=\"PolicyException\" message=\"tns:PolicyException\" wsam:Action=\"{action}:Fault:PolicyException\"/>\n    \
         </wsdl:operation>\n"
    )
}

fn bound_operation(operation: &OperationDescriptor) -> String {
    let action = format!("{NAMESPACE}:{}:{}", operation.port_type, operation.name);
    format!(
        "    <wsdl:operation name=\"{}\">\n      <soap:operation soapAction=\"{action}\" style=\"document\"/>\n      \
         <wsdl:input><soap:body use=\"literal\"/></wsdl:input>\n      \
         <wsdl:output><soap:body use=\"literal\"/></wsdl:output>\n      \
         <wsdl:fault name=\"ServiceException\"><soap:fault name=\"ServiceException\" use=\"literal\"/></wsdl:fault>\n      \
         <wsdl:fault name=\"PolicyException\"><soap:fault name=\"PolicyException\" use=\"literal\"/></wsdl:fault>\n    \
         </wsdl:operation>\n",
        operation.name
    )
}

/// `new` before the first `mark`.
fn inserted(text: &str, mark: &str, new: &str) -> String {
    inserted_after(text, "", mark, new)
}

/// `new` before the first `mark` after `start`.
fn inserted_after(text: &str, start: &str, mark: &str, new: &str) -> String {
    let from = text.find(start).unwrap_or_else(|| panic!("the document has no {start}"));
    let (before, rest) = text.split_at(from);
    let at = rest.find(mark).unwrap_or_else(|| panic!("the document has no {mark}"));
    let (middle, after) = rest.split_at(at);
    format!("{before}{middle}{new}{after}")
}
