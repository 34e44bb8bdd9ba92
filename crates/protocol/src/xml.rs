//! XML as the protocols use it. `quick-xml` is used here and nowhere else.

pub mod element;
