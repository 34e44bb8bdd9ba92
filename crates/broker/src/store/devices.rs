use super::{Once, Pending, Remember};
use crate::capability::Capability;
use crate::device::{Device, ManagementState};
use crate::fault::Fault;
use crate::filter::{CapabilityField, Filter};
use crate::id::{CapabilityOid, DeviceOid};
use crate::identity::{DeviceId, Msisdn};
use crate::job::DeviceFilter;
use crate::ledger::Deed;
use crate::page::{Listed, Page};

/// A device record as a caller gave it, checked. `device` has a new oid and version 1; what of it counts against a
/// stored record is decided by [`crate::device::Device`]'s functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceGiven {
    /// The record. Its oid is a new one; it is used if the record is new.
    pub device: Device,
    /// oid the caller named, to find the stored record by.
    pub oid: Option<DeviceOid>,
    /// Version the caller holds.
    pub version: Option<i64>,
    /// Whether the caller gave a `managementState`; if not, the stored one stays.
    pub state: Option<ManagementState>,
    /// Whether the account given carries a client secret (on creation it must; else the stored one stays).
    pub has_client_secret: bool,
}

/// What to do with a record given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// Make a new record; one with a taken key is `AlreadyExists`.
    Create,
    /// Replace the stored record; none is `UnknownDevice` or `UnknownCapability`.
    Replace,
    /// Create or, where the record exists, replace.
    Upsert,
}

/// One record of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceWrite {
    /// What to do.
    pub mode: WriteMode,
    /// The record.
    pub given: DeviceGiven,
}

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceVerdict {
    /// Made.
    Created(Device),
    /// Changed.
    Updated(Device),
    /// Already as given.
    Unchanged(Device),
    /// Not taken.
    Refused(Fault),
}

/// How a caller names a device record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceKey {
    /// By record identifier.
    Oid(DeviceOid),
    /// By device identifier.
    DeviceId(DeviceId),
    /// By phone number; may be several records.
    Phone(Msisdn),
}

/// One capability record of a write. `capability` has a new oid; `oid` is the one to replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapabilityWrite {
    /// The record.
    pub capability: Capability,
    /// Record to replace; absent to create. The key make + model + firmware version is unique within the domain.
    pub oid: Option<CapabilityOid>,
    /// Version the caller holds.
    pub version: Option<i64>,
}

/// What became of a capability record: as stored, or refused with `AlreadyExists`, `UnknownCapability` or
/// `OutdatedVersion`.
pub type CapabilityVerdict = Result<Capability, Fault>;

/// Which capability records. What is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapabilityFilter {
    /// Exact make.
    pub manufacturer: Option<String>,
    /// Exact model.
    pub model: Option<String>,
    /// An expression that must hold besides.
    pub expression: Option<Filter<CapabilityField>>,
}

/// How a capability record is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CapabilityKey {
    /// By record identifier.
    Oid(CapabilityOid),
    /// The most specific one: exact firmware version first, then the record that covers every version.
    Model {
        /// Make.
        manufacturer: String,
        /// Model.
        model: String,
        /// Firmware version.
        firmware_version: Option<String>,
    },
    /// By type allocation code.
    Tac(String),
}

/// Device and capability records. A record of another domain is not there.
pub trait DeviceStore: Send + Sync {
    /// Writes records, each on its own: a refused one does not stop the others.
    fn device_write(
        &self,
        tenant: &str,
        writes: Vec<DeviceWrite>,
        deed: Deed,
        remember: Option<Remember<Vec<DeviceVerdict>>>,
    ) -> Pending<'_, Once<Vec<DeviceVerdict>>>;
    /// Deletes a record, what is kept of its contacts, and cancels its tasks that are not final.
    ///
    /// The inner error is `UnknownDevice`, `OutdatedVersion`.
    fn device_delete(
        &self,
        tenant: &str,
        key: DeviceKey,
        version: Option<i64>,
        deed: Deed,
    ) -> Pending<'_, Result<(), Fault>>;
    /// Records with this key: none, one, or (by phone number) up to `limit`.
    fn device_find(&self, tenant: &str, key: DeviceKey, limit: u32) -> Pending<'_, Vec<Device>>;
    /// Records that match, by oid.
    fn device_list(&self, tenant: &str, filter: DeviceFilter, page: Page) -> Pending<'_, Listed<Device>>;
    /// Moves phone number, account, what is kept of contacts, and open tasks from one record to another of the same
    /// domain that has no account. Nothing happens if it has one by now, or either is gone.
    fn device_adopt(&self, from: DeviceOid, to: DeviceOid, deed: Deed) -> Pending<'_, bool>;

    /// Writes a capability record.
    fn capability_write(
        &self,
        write: CapabilityWrite,
        deed: Deed,
        remember: Option<Remember<CapabilityVerdict>>,
    ) -> Pending<'_, Once<CapabilityVerdict>>;
    /// Deletes a capability record that no device record refers to.
    ///
    /// The inner error is `UnknownCapability`, `InUse` or `OutdatedVersion`.
    fn capability_delete(
        &self,
        tenant: &str,
        oid: CapabilityOid,
        version: Option<i64>,
        deed: Deed,
    ) -> Pending<'_, Result<(), Fault>>;
    /// The record with this key.
    fn capability_find(&self, tenant: &str, key: CapabilityKey) -> Pending<'_, Option<Capability>>;
    /// Records that match, by oid.
    fn capability_list(&self, tenant: &str, filter: CapabilityFilter, page: Page) -> Pending<'_, Listed<Capability>>;
}
