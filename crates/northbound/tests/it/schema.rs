//! The tables and the published schema say the same.

use std::collections::{BTreeMap, BTreeSet};

use muster_northbound::contract::{Cardinality, ELSEWHERE, FieldDescriptor, Kind, TypeDescriptor, operations};
use roxmltree::{Document, Node};

const XSD: &str = include_str!("../../../../docs/api/dmwsi.xsd");
const WSDL: &str = include_str!("../../../../docs/api/dmwsi.wsdl");

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|it| it.tag_name().name() == name)
}

fn sequence<'a, 'i>(node: Node<'a, 'i>) -> Vec<Node<'a, 'i>> {
    let complex = if node.tag_name().name() == "complexType" { Some(node) } else { child(node, "complexType") };
    let Some(sequence) = complex.and_then(|it| child(it, "sequence")) else { return Vec::new() };
    sequence.children().filter(Node::is_element).collect()
}

fn assert_same(fields: &[FieldDescriptor], schema: &[Node<'_, '_>], place: &str) {
    let told: Vec<_> =
        fields.iter().map(|field| (field.name.to_owned(), name_of(field.kind), field.cardinality)).collect();
    let wanted: Vec<_> = schema
        .iter()
        .map(|element| {
            let min = element.attribute("minOccurs").unwrap_or("1");
            let max = element.attribute("maxOccurs").unwrap_or("1");
            let cardinality = match (min, max) {
                ("1", "1") => Cardinality::One,
                ("0", "1") => Cardinality::Optional,
                ("0", "unbounded") => Cardinality::Many,
                ("1", "unbounded") => Cardinality::Some,
                other => panic!("{place}: {other:?}"),
            };
            (element.attribute("name").unwrap().to_owned(), element.attribute("type").unwrap().to_owned(), cardinality)
        })
        .collect();
    assert_eq!(told, wanted, "{place}");
}

fn name_of(kind: Kind) -> String {
    match kind {
        Kind::BuiltIn(name) => name.to_owned(),
        Kind::Named(_) | Kind::Record(_) => format!("tns:{}", kind.name()),
    }
}

/// Every record below these fields.
fn collect(fields: &'static [FieldDescriptor], records: &mut BTreeMap<&'static str, &'static TypeDescriptor>) {
    for field in fields {
        if let Kind::Record(record) = field.kind
            && records.insert(record.name, record).is_none()
        {
            collect(record.fields, records);
        }
    }
}

#[test]
fn parameters_results_and_records_are_those_of_the_schema_in_order() {
    let document = Document::parse(XSD).unwrap();
    let top = |kind: &str, name: &str| {
        let found = document
            .root_element()
            .children()
            .find(|it| it.tag_name().name() == kind && it.attribute("name") == Some(name));
        found.unwrap_or_else(|| panic!("no {kind} {name}"))
    };
    let mut records = BTreeMap::new();
    for operation in operations() {
        assert_same(operation.fields, &sequence(top("element", operation.name)), operation.name);
        collect(operation.fields, &mut records);
        let answer = sequence(top("element", &format!("{}Response", operation.name)));
        match &operation.result {
            None => assert!(answer.is_empty(), "{}", operation.name),
            Some(result) => {
                assert_same(std::slice::from_ref(result), &answer, operation.name);
                collect(std::slice::from_ref(result), &mut records);
            }
        }
    }
    assert!(records.len() > 25);
    for (name, record) in records {
        assert_same(record.fields, &sequence(top("complexType", name)), name);
    }
}

#[test]
fn values_of_enumerations_are_those_of_the_schema() {
    let document = Document::parse(XSD).unwrap();
    let mut kinds = BTreeMap::new();
    let mut records = BTreeMap::new();
    for operation in operations() {
        collect(operation.fields, &mut records);
        operation.result.iter().for_each(|result| collect(std::slice::from_ref(result), &mut records));
    }
    for record in records.values() {
        for field in record.fields {
            if let Kind::Named(named) = field.kind {
                kinds.insert(named.name, named);
            }
        }
    }
    assert!(kinds.len() >= 12);
    for (name, named) in kinds {
        let simple = document.root_element().children().find(|it| it.attribute("name") == Some(name)).unwrap();
        let restriction = child(simple, "restriction").unwrap();
        assert_eq!(restriction.attribute("base"), Some(named.base));
        let values: Vec<_> = restriction
            .children()
            .filter(|it| it.tag_name().name() == "enumeration")
            .filter_map(|it| it.attribute("value"))
            .collect();
        assert_eq!(values, named.values, "{name}");
    }
}

#[test]
fn every_operation_of_every_port_type_is_offered_or_known_to_be_elsewhere() {
    let document = Document::parse(WSDL).unwrap();
    let port_types = document.descendants().filter(|it| it.tag_name().name() == "portType");
    let described: BTreeSet<(String, String)> = port_types
        .flat_map(|port_type| {
            let name = port_type.attribute("name").unwrap().to_owned();
            let all = port_type.children().filter(|it| it.tag_name().name() == "operation");
            all.map(move |it| (name.clone(), it.attribute("name").unwrap().to_owned())).collect::<Vec<_>>()
        })
        .collect();
    let offered = operations().iter().map(|it| (it.port_type.to_owned(), it.name.to_owned()));
    let elsewhere = ELSEWHERE
        .iter()
        .flat_map(|(port_type, names)| names.iter().map(|name| ((*port_type).to_owned(), (*name).to_owned())));
    assert_eq!(offered.chain(elsewhere).collect::<BTreeSet<_>>(), described);
}
