//! What this server offers beyond the contract is described from the tables: port types that the contract does not
//! have, with their messages and types, are written into the files of `docs/api`.
//!
//! `MUSTER_REGENERATE=1 cargo test -p muster-northbound --test it generated` writes them anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use muster_northbound::contract::{
    Cardinality, FieldDescriptor, Kind, NamedType, OperationDescriptor, TypeDescriptor, operations,
};

/// Port types that are ours, and what they are for.
const OURS: &[(&str, &str)] = &[(
    "IAdministrationServices",
    "Administration: tenants, External Systems and people, their roles and rights, and what they did. An addition to the contract.",
)];

fn ours(port_type: &str) -> impl Iterator<Item = &'static OperationDescriptor> {
    operations().iter().filter(move |operation| operation.port_type == port_type)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn about(indent: &str, text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{indent}<xs:annotation><xs:documentation>{}</xs:documentation></xs:annotation>\n", escaped(&text))
}

fn type_name(kind: Kind) -> String {
    match kind {
        Kind::BuiltIn(name) => name.to_owned(),
        Kind::Named(_) | Kind::Record(_) => format!("tns:{}", kind.name()),
    }
}

fn sequence(indent: &str, fields: &[FieldDescriptor]) -> String {
    if fields.is_empty() {
        return format!("{indent}<xs:sequence/>\n");
    }
    let mut text = format!("{indent}<xs:sequence>\n");
    for field in fields {
        let occurs = match field.cardinality {
            Cardinality::One => "",
            Cardinality::Optional => " minOccurs=\"0\"",
            Cardinality::Many => " minOccurs=\"0\" maxOccurs=\"unbounded\"",
            Cardinality::Some => " maxOccurs=\"unbounded\"",
        };
        let _ =
            writeln!(text, "{indent}  <xs:element name=\"{}\" type=\"{}\"{occurs}>", field.name, type_name(field.kind));
        text += &about(&format!("{indent}    "), field.about);
        let _ = writeln!(text, "{indent}  </xs:element>");
    }
    text + indent + "</xs:sequence>\n"
}

fn element(name: &str, what: &str, fields: &[FieldDescriptor]) -> String {
    let documentation = about("    ", what);
    let fields = sequence("      ", fields);
    format!(
        "  <xs:element name=\"{name}\">\n{documentation}    <xs:complexType>\n{fields}    </xs:complexType>\n  \
         </xs:element>\n"
    )
}

#[derive(Default)]
struct Types {
    named: BTreeMap<&'static str, &'static NamedType>,
    records: BTreeMap<&'static str, &'static TypeDescriptor>,
}

impl Types {
    fn collect(&mut self, fields: &'static [FieldDescriptor]) {
        for field in fields {
            match field.kind {
                Kind::BuiltIn(_) => {}
                Kind::Named(named) => drop(self.named.insert(named.name, named)),
                Kind::Record(record) => {
                    if self.records.insert(record.name, record).is_none() {
                        self.collect(record.fields);
                    }
                }
            }
        }
    }

    /// The types of our port types that the rest of the schema does not have.
    fn schema(&self, rest: &str) -> String {
        let mut text = String::new();
        for (name, named) in &self.named {
            if !rest.contains(&format!("<xs:simpleType name=\"{name}\">")) {
                let _ =
                    writeln!(text, "  <xs:simpleType name=\"{name}\">\n    <xs:restriction base=\"{}\">", named.base);
                for value in named.values {
                    let _ = writeln!(text, "      <xs:enumeration value=\"{value}\"/>");
                }
                text += "    </xs:restriction>\n  </xs:simpleType>\n";
            }
        }
        for (name, record) in &self.records {
            if !rest.contains(&format!("<xs:complexType name=\"{name}\">")) {
                let fields = sequence("    ", record.fields);
                let documentation = about("    ", record.about);
                let _ =
                    write!(text, "  <xs:complexType name=\"{name}\">\n{documentation}{fields}  </xs:complexType>\n");
            }
        }
        text
    }
}

const TYPES: &str = "\n  <!-- Types beyond the contract -->\n";

/// The schema with what is ours at its end.
fn schema(stored: &str) -> String {
    let end = stored.find(TYPES).unwrap_or_else(|| stored.rfind("</xs:schema>").unwrap());
    let rest = &stored[..end];
    let (mut types, mut messages) = (Types::default(), String::new());
    for (port_type, _) in OURS {
        let _ = write!(messages, "\n  <!-- {port_type} -->\n");
        for operation in ours(port_type) {
            types.collect(operation.fields);
            let result = operation.result.as_slice();
            types.collect(result);
            messages += &element(operation.name, operation.about, operation.fields);
            let answer = format!("{}Response", operation.name);
            messages += &element(&answer, &format!("Answer to {}.", operation.name), result);
        }
    }
    format!("{rest}{TYPES}{}{messages}</xs:schema>\n", types.schema(rest))
}

/// Takes out what lies between `from` and the next `to`, which stays.
fn without(text: &str, from: &str, to: &str) -> String {
    let Some(start) = text.find(from) else { return text.to_owned() };
    let end = start + from.len() + text[start + from.len()..].find(to).unwrap();
    format!("{}{}", &text[..start], &text[end..])
}

/// A description with our port types behind those of the contract; `suffix` is part of the name of a binding.
fn description(stored: &str, suffix: &str, version: &str) -> String {
    let mut text = stored.to_owned();
    for (port_type, purpose) in OURS {
        let (first_type, first_binding) = ("\n  <wsdl:portType name=\"IS", "\n  <wsdl:binding name=\"IS");
        let messages_begin = format!("\n  <!-- {port_type}: messages -->");
        let type_begins = format!("\n  <wsdl:portType name=\"{port_type}\">");
        let binding_begins = format!("\n  <wsdl:binding name=\"{port_type}{suffix}\"");
        let port_begins = format!("    <wsdl:port name=\"{port_type}Port\"");
        text = without(&text, &messages_begin, first_type);
        text = without(&text, &type_begins, first_binding);
        text = without(&text, &binding_begins, "\n  <wsdl:service");
        text = without(&text, &port_begins, "  </wsdl:service>");

        let (mut messages, mut port, mut binding) = (String::new(), String::new(), String::new());
        for operation in ours(port_type) {
            let (name, action) = (operation.name, operation.action());
            for message in [name.to_owned(), format!("{name}Response")] {
                let _ = write!(
                    messages,
                    "  <wsdl:message name=\"{message}\">\n    <wsdl:part name=\"parameters\" element=\"tns:{message}\"/>\n  \
                     </wsdl:message>\n"
                );
            }
            let fault = |kind: &str| {
                format!(
                    "      <wsdl:fault name=\"{kind}\" message=\"tns:{kind}\" wsam:Action=\"{action}:Fault:{kind}\"/>\n"
                )
            };
            let told = operation.about.split_whitespace().collect::<Vec<_>>().join(" ");
            let _ = write!(
                port,
                "    <wsdl:operation name=\"{name}\">\n      <wsdl:documentation>{}</wsdl:documentation>\n      \
                 <wsdl:input message=\"tns:{name}\" wsam:Action=\"{action}\"/>\n      \
                 <wsdl:output message=\"tns:{name}Response\" wsam:Action=\"{action}Response\"/>\n{}{}    \
                 </wsdl:operation>\n",
                escaped(&told),
                fault("ServiceException"),
                fault("PolicyException"),
            );
            let _ = write!(
                binding,
                "    <wsdl:operation name=\"{name}\">\n      \
                 <soap:operation soapAction=\"{action}\" style=\"document\"/>\n      \
                 <wsdl:input><soap:body use=\"literal\"/></wsdl:input>\n      \
                 <wsdl:output><soap:body use=\"literal\"/></wsdl:output>\n"
            );
            for kind in ["ServiceException", "PolicyException"] {
                let _ = writeln!(
                    binding,
                    "      <wsdl:fault name=\"{kind}\"><soap:fault name=\"{kind}\" use=\"literal\"/></wsdl:fault>"
                );
            }
            binding += "    </wsdl:operation>\n";
        }
        let insert = |text: &mut String, before: &str, what: &str| {
            let at = text.find(before).unwrap();
            text.insert_str(at, what);
        };
        insert(&mut text, first_type, &format!("{messages_begin}\n{messages}"));
        let documented = format!("    <wsdl:documentation>{}</wsdl:documentation>\n", escaped(purpose));
        insert(&mut text, first_binding, &format!("{type_begins}\n{documented}{port}  </wsdl:portType>\n"));
        insert(
            &mut text,
            "\n  <wsdl:service",
            &format!(
                "{binding_begins} type=\"tns:{port_type}\">\n    <wsdl:documentation>{port_type} by SOAP {version} over \
                 HTTP, document/literal wrapped.</wsdl:documentation>\n    <soap:binding style=\"document\" \
                 transport=\"http://schemas.xmlsoap.org/soap/http\"/>\n{binding}  </wsdl:binding>\n"
            ),
        );
        insert(
            &mut text,
            "  </wsdl:service>",
            &format!(
                "{port_begins} binding=\"tns:{port_type}{suffix}\">\n      <wsdl:documentation>{}</wsdl:documentation>\n      \
                 <soap:address location=\"http://localhost:8080/wsi\"/>\n    </wsdl:port>\n",
                escaped(purpose)
            ),
        );
    }
    text
}

fn assert_stored(file: &str, made: impl Fn(&str) -> String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/api").join(file);
    let stored = std::fs::read_to_string(&path).unwrap();
    let wanted = made(&stored);
    assert_eq!(made(&wanted), wanted, "{file}: making it again changes it");
    if std::env::var_os("MUSTER_REGENERATE").is_some() {
        std::fs::write(&path, wanted).unwrap();
        return;
    }
    assert!(
        stored == wanted,
        "{file} is not what the tables say; write it anew with\n  \
         MUSTER_REGENERATE=1 cargo test -p muster-northbound --test it generated"
    );
}

#[test]
fn the_schema_has_the_messages_and_types_of_our_own_port_types() {
    assert_stored("dmwsi.xsd", schema);
}

#[test]
fn the_descriptions_have_our_own_port_types() {
    let transport = |text: &str| text.contains("transport=\"http://schemas.xmlsoap.org/soap/http\"");
    for (file, suffix, version) in [("dmwsi.wsdl", "SoapBinding", "1.1"), ("dmwsi-soap12.wsdl", "Soap12Binding", "1.2")]
    {
        assert_stored(file, |stored| {
            assert!(transport(stored));
            description(stored, suffix, version)
        });
    }
}
