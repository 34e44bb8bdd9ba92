//! What somebody sends who means harm, one test for each kind. `docs/conformance/bad-input.md` has the whole list.

mod documents;
mod doors;
mod filters;
mod headers;
mod json;
