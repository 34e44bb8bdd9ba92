//! Who may call what: every operation × every built-in role × where and how far the role holds, over every face that is
//! given. What is expected follows from the rights in the descriptors, the rights of the roles as data, and the rules
//! below; nothing of it is asked of the code under test.

mod calls;
mod fixtures;
mod rest;

use muster_broker::access::{BUILT_IN, Grant, GrantTenant, Granted, Principal, TreePath};
use muster_northbound::contract::{Kind, OperationDescriptor, operations, request_from_json};
use muster_protocol::soap::Version;
use serde_json::{Value, json};

use crate::world::{World, envelope};
use calls::{Call, Rule};
use fixtures::Fixture;

/// A way to call an operation with parameters as JSON, as who has this session.
#[derive(Clone, Copy, Debug)]
enum Face {
    Soap(Version),
    Rest,
}

/// The faces of this test. One that is added here goes through the whole matrix.
const FACES: &[Face] = &[Face::Soap(Version::Soap11), Face::Rest];

impl Face {
    /// The name of the fault, or of the first rejected entry; nothing where everything was done.
    async fn call(
        self,
        world: &World,
        session: &str,
        operation: &OperationDescriptor,
        parameters: &Value,
    ) -> Option<String> {
        match self {
            Self::Soap(version) => {
                let mut parameters = parameters.clone();
                parameters["userSession"] = json!({"sessionId": session});
                let body = request_from_json(operation, &parameters).unwrap();
                let body = String::from_utf8(body).unwrap();
                let reply = world.post(version, envelope(version, "", &body)).await;
                if reply.status != 200 {
                    return Some(reply.fault().name);
                }
                reply.text.contains("<rejected>").then(|| name_of(&reply.text_of("messageId")))
            }
            Self::Rest => rest::call(world, session, operation, parameters).await,
        }
    }
}

/// The stable name behind a fault code.
fn name_of(message_id: &str) -> String {
    use muster_broker::fault::FaultName;
    FaultName::ALL.iter().find(|name| name.message_id() == message_id).unwrap().as_str().to_owned()
}

/// Where and how far a role holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// In the caller's own domain, which is that of the objects.
    Here,
    /// In every domain; the caller belongs to a third one and works in that of the objects.
    Everywhere,
    /// In another domain, where the caller works.
    Elsewhere,
    /// In the domain, for the group of the objects' device.
    ForItsGroup,
    /// In the domain, for another group.
    ForAnotherGroup,
    /// In the domain, at the node that the operations name.
    AtItsPlace,
    /// In the domain, at another node.
    AtAnotherPlace,
}

impl Holds {
    const ALL: [Self; 7] = [
        Self::Here,
        Self::Everywhere,
        Self::Elsewhere,
        Self::ForItsGroup,
        Self::ForAnotherGroup,
        Self::AtItsPlace,
        Self::AtAnotherPlace,
    ];

    fn principal(self, role: &str) -> Principal {
        let (home, tenant) = match self {
            Self::Elsewhere => ("other", GrantTenant::Own),
            Self::Everywhere => ("third", GrantTenant::Any),
            _ => ("acme", GrantTenant::Own),
        };
        let groups = match self {
            Self::ForItsGroup => vec![fixtures::GROUP.to_owned()],
            Self::ForAnotherGroup => vec!["another group".to_owned()],
            _ => Vec::new(),
        };
        let paths = match self {
            Self::AtItsPlace => vec![TreePath::parse(fixtures::PLACE).unwrap()],
            Self::AtAnotherPlace => vec![TreePath::parse("./Another/Place").unwrap()],
            _ => Vec::new(),
        };
        let grant = Grant { groups, paths, ..Grant::whole(Granted::Role(role.to_owned()), tenant) };
        let name = format!("{role} {self:?}");
        Principal { grants: vec![grant], ..Principal::of_role(&name, home, "", "") }
    }

    fn works_in(self) -> &'static str {
        if self == Self::Elsewhere { "other" } else { "acme" }
    }
}

/// Whether rights, written as roles write them, have `object.operation`. The qualifier `all` widens and must be said;
/// other qualifiers narrow, and are not enough for the whole operation.
fn has(rights: &[&str], object: &str, operation: &str) -> bool {
    rights.iter().any(|right| match operation.strip_suffix(":all") {
        Some(_) => *right == "*" || *right == format!("{object}.{operation}"),
        None => {
            let stem = right.strip_suffix(":all").unwrap_or(right);
            stem == "*" || stem == format!("{object}.{operation}") || stem == format!("{object}.*")
        }
    })
}

const NOT_AUTHORIZED: &str = "NotAuthorized";

/// What an operation is answered.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    /// This fault, or none.
    Told(Option<&'static str>),
    /// Judged by tests of its own.
    Anything,
}

fn is_as(told: &Option<String>, expected: &Expected) -> bool {
    match expected {
        Expected::Told(wanted) => told.as_deref() == *wanted,
        Expected::Anything => true,
    }
}

/// The rules.
fn expected(call: &Call, operation: &OperationDescriptor, rights: &[&str], holds: Holds) -> Expected {
    let done = || Expected::Told(call.done);
    let refused = || Expected::Told(Some(NOT_AUTHORIZED));
    let unknown = || Expected::Told(call.unknown.or(call.done));
    if operation.rights.is_empty() && call.more_rights.is_empty() {
        return if call.rule == Rule::RightsAlone { Expected::Anything } else { done() };
    }
    if !operation.rights.iter().chain(call.more_rights).all(|(object, operation)| has(rights, object, operation)) {
        return refused();
    }
    match (call.rule, holds) {
        (Rule::RightsAlone, _) => Expected::Anything,
        // Facts about the server: however narrowed, wherever.
        (Rule::Facts, _) | (_, Holds::Everywhere) => done(),
        // Tenants: only for those whose right holds everywhere; others do not see one that they hold nothing in.
        (Rule::Tenants, Holds::AtItsPlace | Holds::AtAnotherPlace) => refused(),
        (Rule::Tenants, _) => {
            if call.unknown.is_some() {
                unknown()
            } else {
                refused()
            }
        }
        (_, Holds::Here) => done(),
        // What is there is in another domain; what is made is made in one's own.
        (_, Holds::Elsewhere) => unknown(),
        (Rule::Operation, Holds::AtItsPlace) => done(),
        (_, Holds::AtItsPlace | Holds::AtAnotherPlace) | (Rule::Domain, _) => refused(),
        // By group: devices, and tasks of devices.
        (Rule::Device | Rule::Operation | Rule::Record | Rule::Jobs, Holds::ForItsGroup) => done(),
        (Rule::Device | Rule::Operation, Holds::ForAnotherGroup) => unknown(),
        (Rule::Record, Holds::ForAnotherGroup) => refused(),
        // A job is made of the devices that its maker reaches, and seen by its maker where that has not every device.
        (Rule::Jobs, Holds::ForAnotherGroup) => done(),
        (Rule::OthersJob, Holds::ForItsGroup | Holds::ForAnotherGroup) => unknown(),
    }
}

#[test]
fn every_operation_is_in_the_matrix() {
    let calls = calls::all();
    for operation in operations() {
        let is_there = calls.iter().any(|call| call.operation == operation.name);
        assert!(is_there != calls::WITHOUT.contains(&operation.name), "{}", operation.name);
    }
    for call in &calls {
        assert!(operations().iter().any(|operation| operation.name == call.operation), "{}", call.operation);
    }
    let judged = calls.iter().filter(|call| call.rule != Rule::RightsAlone).count();
    assert!(judged >= 60, "{judged}");
}

#[tokio::test]
async fn every_operation_is_answered_as_the_role_of_the_caller_says() {
    let world = World::new().await;
    let fixtures = fixtures::Fixtures::new(&world).await;
    let mut callers = Vec::new();
    for holds in Holds::ALL {
        for role in BUILT_IN {
            let session = fixtures.session(&holds.principal(role.name), holds.works_in()).await;
            callers.push((holds, role.name, role.rights, session));
        }
    }
    let nobody = Principal { grants: Vec::new(), ..Principal::of_role("nobody", "acme", "", "") };
    callers.push((Holds::Here, "no role", &[], fixtures.session(&nobody, "acme").await));

    let (mut wrong, mut number) = (Vec::new(), 0);
    for call in calls::all() {
        let operation = operations().iter().find(|operation| operation.name == call.operation).unwrap();
        let mut fixture = fixtures.fresh(0, operation.fields).await;
        let mut state = fixtures.state(&fixture).await;
        for (holds, role, rights, session) in &callers {
            let expected = expected(&call, operation, rights, *holds);
            for face in FACES {
                fixture.number += 1;
                let told = face.call(&world, session, operation, &(call.parameters)(&fixture)).await;
                number += 1;
                if !is_as(&told, &expected) {
                    wrong.push(format!("{face:?} {} as {role}, {holds:?}: {told:?}, not {expected:?}", call.operation));
                }
                let after = fixtures.state(&fixture).await;
                if told.is_some() && after != state {
                    wrong.push(format!("{face:?} {} as {role}, {holds:?}: refused, and changed", call.operation));
                }
                if told.is_none() && !call.operation.starts_with("get") {
                    fixture = fixtures.fresh(fixture.number, operation.fields).await;
                    state = fixtures.state(&fixture).await;
                } else {
                    state = after;
                }
            }
        }
    }
    assert!(number > 6000, "{number}");
    assert!(wrong.is_empty(), "{} of {number}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Requests with the tenant `name` wherever one is named in them: as a parameter, in the record that is given, in a grant,
/// or as what the operation is about.
fn naming(operation: &OperationDescriptor, parameters: &Value, name: &str) -> Vec<Value> {
    let with = |pointer: &str, member: &str| {
        let mut parameters = parameters.clone();
        parameters.pointer_mut(pointer).unwrap()[member] = json!(name);
        parameters
    };
    let mut requests = Vec::new();
    for field in operation.fields {
        match field.kind {
            Kind::Record(record) if parameters.get(field.name).is_some_and(Value::is_object) => {
                let pointer = format!("/{}", field.name);
                for member in record.fields {
                    match member.kind {
                        _ if member.name == "tenant" => requests.push(with(&pointer, "tenant")),
                        _ if member.name == "grant" => {
                            let mut parameters = parameters.clone();
                            parameters[field.name]["grant"] = json!([{"role": "reader", "tenant": name}]);
                            requests.push(parameters);
                        }
                        _ => {}
                    }
                }
            }
            Kind::Record(_) => {}
            _ if field.name == "tenant" => requests.push(with("", "tenant")),
            _ => {}
        }
    }
    match operation.name {
        "updateTenant" => requests.push(with("/tenant", "name")),
        "deleteTenant" | "getTenantByName" => requests.push(with("", "name")),
        _ => {}
    }
    requests
}

#[tokio::test]
async fn a_tenant_that_one_may_not_see_is_unknown_to_every_operation_that_names_one() {
    let world = World::new().await;
    let fixtures = fixtures::Fixtures::new(&world).await;
    let session = world.login("root").await;
    let (mut wrong, mut number) = (Vec::new(), 0);
    for call in calls::all() {
        let operation = operations().iter().find(|operation| operation.name == call.operation).unwrap();
        let fixture = fixtures.fresh(0, operation.fields).await;
        let parameters = (call.parameters)(&fixture);
        // One that is there, and one that is not: nobody can tell them apart.
        for tenant in ["other", "nowhere"] {
            for request in naming(operation, &parameters, tenant) {
                for face in FACES {
                    let told = face.call(&world, &session, operation, &request).await;
                    number += 1;
                    if told.as_deref() != Some("UnknownTenant") {
                        wrong.push(format!("{face:?} {} {request}: {told:?}", call.operation));
                    }
                }
            }
        }
    }
    assert!(number > 100, "{number}");
    assert!(wrong.is_empty(), "{} of {number}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Parameters of a call, from what it needs.
type Parameters = fn(&Fixture) -> Value;
