//! Decisions about a device that is in contact.
