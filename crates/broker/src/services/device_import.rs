//! Many device records at once.

use std::collections::HashMap;

use super::device_manager::{named_by_nothing, needs_stored_account, only_in_reach, out_of_step, secret_is_stored};
use super::once::{self, operation};
use super::{Broker, DeviceFields, Given, ImportResult, Rejected, RequestKey, checks, reaching, selecting};
use crate::access::{Caller, Right, Scope};
use crate::bounds::RECORDS_MAX;
use crate::fault::{Fault, FaultName};
use crate::id::{CapabilityOid, DeviceOid};
use crate::quota::Kind;
use crate::store::{DeviceGiven, DeviceKey, DeviceVerdict, DeviceWrite, Once, WriteMode};

pub(super) const IMPORT: Right = Right::new("device", "import");

impl Broker {
    /// Imports device records: creates those that are new and, with `update_existing`, updates the others.
    ///
    /// # Errors
    /// Those of the contract, section 5, `importDeviceInstances`. What is wrong with a record is in the result.
    pub async fn import_devices(
        &self,
        caller: &Caller,
        records: Vec<impl Into<Given<DeviceFields>>>,
        update_existing: bool,
        request: Option<RequestKey>,
    ) -> Result<ImportResult, Fault> {
        let scope = caller.scope(IMPORT)?;
        checks::request_key(request.as_ref())?;
        checks::entries("deviceInstance", records.len(), RECORDS_MAX)?;
        let mut result =
            ImportResult { import_id: format!("i-{}", self.environment.uuid().simple()), ..ImportResult::default() };
        let mut capabilities = HashMap::new();
        let mut writes = Vec::new();
        let mut positions = Vec::new();
        for (index, fields) in records.into_iter().enumerate() {
            let write = match fields.into().read() {
                Ok(fields) => self.import_entry(caller, &scope, fields, update_existing, &mut capabilities).await,
                Err(fault) => Err(fault),
            };
            match write {
                Ok(write) => {
                    writes.push(write);
                    positions.push(index);
                }
                Err(fault) if fault.name.is_servers() => return Err(fault),
                Err(fault) => result.rejected.push(Rejected::new(index, &fault)),
            }
        }
        if let Some(answer) = self.answer_of_before(caller, operation::IMPORT_DEVICES, request.as_ref()).await? {
            return once::read(&answer);
        }
        let (number, now) = (writes.len(), self.environment.now());
        let rows = i64::try_from(number).unwrap_or(i64::MAX);
        self.store.quota_take(&caller.tenant, &caller.name, Kind::ImportRowsPerDay, rows, now).await??;
        let (begun, places) = (result.clone(), positions.clone());
        let remember = self.remember(caller, operation::IMPORT_DEVICES, request.as_ref(), move |verdicts: &Vec<_>| {
            let result = counted(begun, &places, verdicts);
            let has_effect = result.created + result.updated > 0;
            if has_effect { serde_json::to_string(&result).ok() } else { None }
        });
        let deed = self.deed(caller, operation::IMPORT_DEVICES);
        match self.store.device_write(&caller.tenant, writes, deed, remember).await? {
            Once::Now(verdicts) if verdicts.len() == number => Ok(counted(result, &positions, &verdicts)),
            Once::Now(_) => Err(out_of_step()),
            Once::Before(answer) => once::read(&answer),
            Once::Reused => Err(once::reused()),
        }
    }

    pub(super) async fn import_entry(
        &self,
        caller: &Caller,
        scope: &Scope,
        fields: DeviceFields,
        update_existing: bool,
        capabilities: &mut HashMap<CapabilityOid, Result<(), Fault>>,
    ) -> Result<DeviceWrite, Fault> {
        let needs_account = needs_stored_account(&fields);
        let new_oid = DeviceOid::new(self.environment.uuid());
        let mut given = self.device_of_import(new_oid, &caller.tenant, fields, update_existing)?;
        if let Some(oid) = given.device.capability {
            let known = match capabilities.get(&oid) {
                Some(known) => known.clone(),
                None => {
                    let known = self.capability_exists(&caller.tenant, Some(oid)).await;
                    capabilities.insert(oid, known.clone());
                    known
                }
            };
            known?;
        }
        if given.device.device_id.is_none() && given.device.phone_number.is_none() {
            return Err(named_by_nothing());
        }
        let mut mode = WriteMode::Create;
        if update_existing {
            self.find_by_number(caller, scope, &mut given).await?;
            // A record named by its own identifier must be there.
            mode = if given.oid.is_some() { WriteMode::Replace } else { WriteMode::Upsert };
        } else {
            given.version = None;
        }
        if !scope.is_whole() {
            let stored = if update_existing { self.device_stored(caller, &given).await? } else { None };
            match stored {
                Some(stored) => {
                    only_in_reach(caller, scope, IMPORT, &stored, &mut given)?;
                    mode = WriteMode::Replace;
                }
                None if given.oid.is_some() => return Err(selecting::unknown()),
                None => {
                    reaching::written(scope, IMPORT, None, &given.device.group)?;
                    mode = WriteMode::Create;
                }
            }
        }
        if needs_account {
            let stored = if update_existing { self.device_stored(caller, &given).await? } else { None };
            secret_is_stored(stored.as_ref())?;
        }
        Ok(DeviceWrite { mode, given })
    }

    /// A record of an import, checked, with its secrets sealed.
    pub(super) fn device_of_import(
        &self,
        new_oid: DeviceOid,
        tenant: &str,
        fields: DeviceFields,
        update_existing: bool,
    ) -> Result<DeviceGiven, Fault> {
        if let Some(oid) = fields.oid.as_ref().filter(|_| !update_existing) {
            let why = "is given by the server; leave it out, or set updateExisting";
            return Err(Fault::invalid("oid", oid.escape_debug(), why));
        }
        self.device_given_as(new_oid, tenant, fields)
    }

    /// A record that has a number only means the stored one with this number, so that an import may be repeated. The
    /// device that the number has been found to be meanwhile stays.
    async fn find_by_number(&self, caller: &Caller, scope: &Scope, given: &mut DeviceGiven) -> Result<(), Fault> {
        let (None, None, Some(number)) = (given.oid, &given.device.device_id, &given.device.phone_number) else {
            return Ok(());
        };
        let limit = if scope.is_whole() { 2 } else { selecting::SAME_NUMBER_MAX };
        let mut found = self.store.device_find(&caller.tenant, DeviceKey::Phone(number.clone()), limit).await?;
        found.retain(|device| scope.sees(device));
        match selecting::only(found) {
            Ok(device) => {
                given.oid = Some(device.oid);
                given.device.device_id = device.device_id;
                Ok(())
            }
            Err(fault) if fault.name == FaultName::UnknownDevice => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}

/// The result with what became of the records at `positions`.
fn counted(mut result: ImportResult, positions: &[usize], verdicts: &[DeviceVerdict]) -> ImportResult {
    for (index, verdict) in positions.iter().zip(verdicts) {
        match verdict {
            DeviceVerdict::Created(_) => result.created += 1,
            DeviceVerdict::Updated(_) => result.updated += 1,
            DeviceVerdict::Unchanged(_) => result.unchanged += 1,
            DeviceVerdict::Refused(fault) => result.rejected.push(Rejected::new(*index, fault)),
        }
    }
    result.rejected.sort_by_key(|rejected| rejected.index);
    result
}
