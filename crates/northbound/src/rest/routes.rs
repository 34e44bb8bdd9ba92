//! Every address of the REST face, once: which operation it is for, and where the parameters of the operation stand.
//!
//! Where nothing else is said, a parameter stands
//!
//! - in the path, if the path names it in braces: as the parameter, or as a field of the record that is the body;
//! - in the header `Idempotency-Key`, if it is `requestId`, and in `If-Match`, if it is the `version` of a record;
//! - else, of a `GET` or `DELETE`, in the query: `page` as `limit` and `cursor`, a filter as its fields;
//! - else, where the body is one record, in the query too;
//! - else in the body, an object with the parameters by their names.
//!
//! Source: DM WSI contract, section 10 and the lines "REST" of section 5.

mod table;

pub(super) use table::{ABSENT, ROUTES};

use crate::contract::Operation;

/// Where the interface lives.
pub(super) const BASE: &str = "/api/v1";

/// A method that operations use. `HEAD` is served wherever `GET` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub(super) const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether its parameters stand in the query rather than in a body.
    pub(super) fn has_no_body(self) -> bool {
        matches!(self, Self::Get | Self::Delete)
    }
}

/// When a route is meant, if several have the same method and path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// If no other is.
    Else,
    /// If one of these parameters is in the query.
    Given(&'static [&'static str]),
    /// If this parameter is `true`. It belongs to no operation.
    Flag(&'static str),
}

/// One operation at one address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) operation: Operation,
    /// Its name in the description, where the operation has several addresses.
    pub(super) name: Option<&'static str>,
    pub(super) method: Method,
    /// Below [`BASE`], for example `/tasks/{taskId}`.
    pub(super) path: &'static str,
    pub(super) when: When,
    /// The parameter that the body is.
    pub(super) body: Option<&'static str>,
    /// Names here, and names of the parameters they are.
    pub(super) renamed: &'static [(&'static str, &'static str)],
    /// Parameters that this address does not take.
    pub(super) without: &'static [&'static str],
    /// Status of success.
    pub(super) status: u16,
    /// Where what was made is found: a path with a member of the answer behind it; the first that there is once.
    pub(super) location: &'static [(&'static str, &'static str)],
    /// Whether the one record of the answer is given as a list, which is empty where it is unknown.
    pub(super) is_query: bool,
}

impl Route {
    const fn of(method: Method, operation: Operation, path: &'static str, status: u16) -> Self {
        Self {
            operation,
            name: None,
            method,
            path,
            when: When::Else,
            body: None,
            renamed: &[],
            without: &[],
            status,
            location: &[],
            is_query: false,
        }
    }

    /// `operationId` in the description.
    pub(super) fn id(&self) -> &'static str {
        self.name.unwrap_or(self.operation.descriptor().name)
    }

    const fn named(self, name: &'static str) -> Self {
        Self { name: Some(name), ..self }
    }

    const fn when(self, when: When) -> Self {
        Self { when, ..self }
    }

    const fn body(self, parameter: &'static str) -> Self {
        Self { body: Some(parameter), ..self }
    }

    const fn renamed(self, names: &'static [(&'static str, &'static str)]) -> Self {
        Self { renamed: names, ..self }
    }

    const fn without(self, names: &'static [&'static str]) -> Self {
        Self { without: names, ..self }
    }

    const fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    const fn location(self, places: &'static [(&'static str, &'static str)]) -> Self {
        Self { location: places, ..self }
    }

    const fn query(self) -> Self {
        Self { is_query: true, ..self }
    }
}

const fn get(operation: Operation, path: &'static str) -> Route {
    Route::of(Method::Get, operation, path, 200)
}

const fn post(operation: Operation, path: &'static str) -> Route {
    Route::of(Method::Post, operation, path, 200)
}

const fn put(operation: Operation, path: &'static str) -> Route {
    Route::of(Method::Put, operation, path, 200)
}

const fn patch(operation: Operation, path: &'static str) -> Route {
    Route::of(Method::Patch, operation, path, 200)
}

const fn delete(operation: Operation, path: &'static str) -> Route {
    Route::of(Method::Delete, operation, path, 204)
}

/// A part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Literal(&'static str),
    Parameter(&'static str),
}

/// The parts of a path of the table.
pub(super) fn parts(path: &'static str) -> impl Iterator<Item = Part> {
    path.trim_start_matches('/').split('/').map(|part| {
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => Part::Parameter(name),
            None => Part::Literal(part),
        }
    })
}

/// Whether an address of these decoded segments is of this path.
pub(super) fn is_at(path: &'static str, segments: &[String]) -> bool {
    let mut given = segments.iter();
    let fits = parts(path).all(|part| match (part, given.next()) {
        (Part::Literal(literal), Some(segment)) => literal == segment,
        (Part::Parameter(_), Some(segment)) => !segment.is_empty(),
        (_, None) => false,
    });
    fits && given.next().is_none()
}

/// What is at an address, by method; nothing if there is no such address.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Route(&'static Route),
    /// An operation of the contract that this server does not offer, and its name.
    Absent(Method, &'static str),
}

impl Place {
    pub(super) fn method(self) -> Method {
        match self {
            Self::Route(route) => route.method,
            Self::Absent(method, _) => method,
        }
    }
}

/// Everything at an address.
pub(super) fn places(segments: &[String]) -> Vec<Place> {
    let routes = ROUTES.iter().filter(|route| is_at(route.path, segments)).map(Place::Route);
    let absent = ABSENT.iter().filter(|(_, path, _)| is_at(path, segments));
    routes.chain(absent.map(|(method, _, name)| Place::Absent(*method, name))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::contract::{ELSEWHERE, Kind, operations};

    /// Operations that have no address of their own, and why.
    const SOAP_ONLY: &[(&str, &str)] = &[];

    #[test]
    fn every_operation_has_an_address() {
        let routed: BTreeSet<_> = ROUTES.iter().map(|route| route.operation.descriptor().name).collect();
        for operation in operations() {
            let is_soap_only = SOAP_ONLY.iter().any(|(name, _)| *name == operation.name);
            assert!(routed.contains(operation.name) != is_soap_only, "{} has no line in the table", operation.name);
        }
        let absent: BTreeSet<_> = ABSENT.iter().map(|(_, _, name)| *name).collect();
        let elsewhere: BTreeSet<_> = ELSEWHERE.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        assert_eq!(absent, elsewhere);
    }

    #[test]
    fn addresses_are_unambiguous_and_names_unique() {
        let mut seen = BTreeSet::new();
        let mut names = BTreeSet::new();
        for route in ROUTES {
            assert!(seen.insert((route.path, route.method, format!("{:?}", route.when))), "{}", route.path);
            assert!(names.insert(route.id()), "{} needs a name of its own", route.id());
        }
        for (method, path, _) in ABSENT {
            let is_taken = ROUTES.iter().any(|route| route.path == *path && route.method == *method);
            assert!(!is_taken, "{path}");
        }
    }

    #[test]
    fn what_a_line_names_is_of_its_operation() {
        for route in ROUTES {
            let fields = route.operation.descriptor().fields;
            let is_empty = route.operation.descriptor().result.is_none();
            assert_eq!(is_empty, route.status == 204, "{}", route.path);
            let known = |name: &str| fields.iter().any(|field| field.name == name);
            let body = route.body.map(|name| fields.iter().find(|field| field.name == name).map(|field| field.kind));
            let in_body = |name: &str| match body {
                Some(Some(Kind::Record(record))) => record.fields.iter().any(|field| field.name == name),
                _ => false,
            };
            assert!(body != Some(None), "{}", route.path);
            for part in parts(route.path) {
                if let Part::Parameter(name) = part {
                    assert!(known(name) || in_body(name), "{}: {name}", route.path);
                }
            }
            for name in route.without.iter().chain(route.renamed.iter().map(|(_, name)| name)) {
                assert!(known(name), "{}: {name}", route.path);
            }
        }
    }
}
