//! What the columns of a table of devices mean, and records of it as device records.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster_broker::device::AuthType;
use muster_broker::fault::{Fault, FaultName};
use muster_broker::identity::{DeviceId, Msisdn};
use muster_broker::services::{AccountFields, DeviceFields};

use super::csv::Cells;
use crate::contract::value::management_state;

/// Most columns of a table.
pub(super) const COLUMNS_MAX: usize = 256;

/// A column: the field that its cells are for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Column {
    Oid,
    DeviceId,
    PhoneNumber,
    Imsi,
    Capability,
    Manufacturer,
    Model,
    FirmwareVersion,
    SoftwareVersion,
    ManagementState,
    Subscriber,
    Group,
    LastSeenAt,
    Version,
    AuthType,
    ClientName,
    ClientSecret,
    ClientNonce,
    ServerId,
    ServerName,
    ServerSecret,
    ServerNonce,
    /// A further attribute of this name.
    Attribute(String),
}

/// Columns by the names of the contract's fields.
const NAMES: &[(&str, Column)] = &[
    ("oid", Column::Oid),
    ("deviceID", Column::DeviceId),
    ("phoneNumber", Column::PhoneNumber),
    ("imsi", Column::Imsi),
    ("deviceCapabilityOid", Column::Capability),
    ("manufacturer", Column::Manufacturer),
    ("model", Column::Model),
    ("firmwareVersion", Column::FirmwareVersion),
    ("softwareVersion", Column::SoftwareVersion),
    ("managementState", Column::ManagementState),
    ("subscriberId", Column::Subscriber),
    ("group", Column::Group),
    ("lastSeenAt", Column::LastSeenAt),
    ("dmAccount.authType", Column::AuthType),
    ("dmAccount.clientName", Column::ClientName),
    ("dmAccount.clientSecret", Column::ClientSecret),
    ("dmAccount.clientNonce", Column::ClientNonce),
    ("dmAccount.serverId", Column::ServerId),
    ("dmAccount.serverName", Column::ServerName),
    ("dmAccount.serverSecret", Column::ServerSecret),
    ("dmAccount.serverNonce", Column::ServerNonce),
    ("version", Column::Version),
];

/// What stands before the name of an attribute.
const ATTRIBUTE: &str = "attribute.";

/// The header row of a table.
#[derive(Clone, Debug)]
pub(super) struct Columns(Vec<Column>);

impl Columns {
    /// Reads the header row.
    ///
    /// # Errors
    /// `InvalidArgument` for a column that is unknown or stands twice, or too many of them; `MissingArgument` if no
    /// column could name a device.
    pub(super) fn read(cells: &Cells, octets: &[u8]) -> Result<Self, Fault> {
        if let Some(problem) = cells.problem {
            return Err(Fault::invalid("header row", "…", problem));
        }
        if cells.count() > COLUMNS_MAX {
            let why = format!("a table may have {COLUMNS_MAX} columns");
            return Err(Fault::invalid("header row", cells.count(), why));
        }
        let mut columns: Vec<Column> = Vec::with_capacity(cells.count());
        for cell in cells.of(octets) {
            let name = text(&cell, "header row")?;
            let column = column(name)?;
            if column != Column::Group && columns.contains(&column) {
                return Err(Fault::invalid("header row", name.escape_debug(), "the column stands twice"));
            }
            columns.push(column);
        }
        if ![Column::DeviceId, Column::PhoneNumber, Column::Oid].iter().any(|name| columns.contains(name)) {
            let told = "the header row needs a column deviceID, phoneNumber or oid; its names are those of the fields of \
                        DeviceInstance";
            return Err(Fault::new(FaultName::MissingArgument, told).with("deviceID"));
        }
        Ok(Self(columns))
    }

    /// A record as a device record. A cell without text is a field left out.
    ///
    /// # Errors
    /// `InvalidArgument` and `MissingArgument`, with the column.
    pub(super) fn fields(&self, cells: &Cells, octets: &[u8]) -> Result<DeviceFields, Fault> {
        if let Some(problem) = cells.problem {
            return Err(Fault::invalid("row", "…", problem));
        }
        if cells.count() != self.0.len() {
            let why = format!("the row has {} cells, and the header row {}", cells.count(), self.0.len());
            return Err(Fault::invalid("row", cells.count(), why));
        }
        let mut fields = DeviceFields::default();
        let mut account = Account::default();
        for (column, cell) in self.0.iter().zip(cells.of(octets)) {
            if cell.is_empty() {
                continue;
            }
            put(column, &cell, &mut fields, &mut account)?;
        }
        fields.account = account.finish()?;
        Ok(fields)
    }
}

fn column(name: &str) -> Result<Column, Fault> {
    if let Some((_, column)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Ok(column.clone());
    }
    if let Some(attribute) = name.strip_prefix(ATTRIBUTE).filter(|attribute| !attribute.is_empty()) {
        return Ok(Column::Attribute(attribute.to_owned()));
    }
    let why = if name.contains([';', '\t']) {
        "columns are parted by commas".to_owned()
    } else if let Some((known, _)) = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim())) {
        format!("there is no such column; {known} is meant, spelt exactly so")
    } else {
        let known: Vec<&str> = NAMES.iter().map(|(known, _)| *known).collect();
        format!("there is no such column; known are {}, and attribute.NAME", known.join(", "))
    };
    Err(Fault::invalid("header row", name.escape_debug(), why))
}

/// The parts of an account, of which a row may have some.
#[derive(Default)]
struct Account {
    is_given: bool,
    auth_type: Option<AuthType>,
    client_name: Option<String>,
    client_secret: Option<String>,
    client_nonce: Option<Vec<u8>>,
    server_id: Option<String>,
    server_name: Option<String>,
    server_secret: Option<String>,
    server_nonce: Option<Vec<u8>>,
}

impl Account {
    fn finish(self) -> Result<Option<AccountFields>, Fault> {
        if !self.is_given {
            return Ok(None);
        }
        Ok(Some(AccountFields {
            auth_type: self.auth_type.ok_or_else(|| Fault::missing("dmAccount.authType"))?,
            client_name: self.client_name.ok_or_else(|| Fault::missing("dmAccount.clientName"))?,
            client_secret: self.client_secret,
            client_nonce: self.client_nonce,
            server_id: self.server_id,
            server_name: self.server_name,
            server_secret: self.server_secret,
            server_nonce: self.server_nonce,
        }))
    }
}

fn put(column: &Column, cell: &[u8], fields: &mut DeviceFields, account: &mut Account) -> Result<(), Fault> {
    let owned = |name: &str| text(cell, name).map(|text| Some(text.to_owned()));
    match column {
        Column::Oid => fields.oid = owned("oid")?,
        Column::DeviceId => {
            let text = text(cell, "deviceID")?;
            let id = DeviceId::from_caller(text);
            fields.device_id = Some(id.map_err(|why| Fault::invalid("deviceID", text.escape_debug(), why))?);
        }
        Column::PhoneNumber => {
            let text = text(cell, "phoneNumber")?;
            let number = Msisdn::parse(text);
            fields.phone_number = Some(number.map_err(|why| Fault::invalid("phoneNumber", text.escape_debug(), why))?);
        }
        Column::Imsi => fields.imsi = owned("imsi")?,
        Column::Capability => fields.capability_oid = owned("deviceCapabilityOid")?,
        Column::Manufacturer => fields.manufacturer = owned("manufacturer")?,
        Column::Model => fields.model = owned("model")?,
        Column::FirmwareVersion => fields.firmware_version = owned("firmwareVersion")?,
        Column::SoftwareVersion => fields.software_version = owned("softwareVersion")?,
        Column::ManagementState => {
            let text = text(cell, "managementState")?;
            let state = management_state(text).ok_or_else(|| {
                let why = "KNOWN, BOOTSTRAPPED, MANAGED, SUSPENDED or RETIRED is expected";
                Fault::invalid("managementState", text.escape_debug(), why)
            });
            fields.management_state = Some(state?);
        }
        Column::Subscriber => fields.subscriber_id = owned("subscriberId")?,
        Column::Group => {
            let names = text(cell, "group")?.split(';').map(str::trim).filter(|name| !name.is_empty());
            fields.group.extend(names.map(str::to_owned));
        }
        // Only the server sets it; a table that was made of records may have it.
        Column::LastSeenAt => {}
        Column::Version => {
            let text = text(cell, "version")?;
            let version = text.trim().parse();
            let why = "a whole number of 64 bits is expected";
            fields.version = Some(version.map_err(|_| Fault::invalid("version", text.escape_debug(), why))?);
        }
        Column::Attribute(name) => {
            fields.attribute.push((name.clone(), text(cell, "attribute")?.to_owned()));
        }
        Column::AuthType
        | Column::ClientName
        | Column::ClientSecret
        | Column::ClientNonce
        | Column::ServerId
        | Column::ServerName
        | Column::ServerSecret
        | Column::ServerNonce => put_in_account(column, cell, account)?,
    }
    Ok(())
}

fn put_in_account(column: &Column, cell: &[u8], account: &mut Account) -> Result<(), Fault> {
    account.is_given = true;
    let owned = |name: &str| text(cell, name).map(|text| Some(text.to_owned()));
    match column {
        Column::AuthType => {
            let text = text(cell, "dmAccount.authType")?;
            account.auth_type = Some(match text.trim() {
                "BASIC" => AuthType::Basic,
                "DIGEST" => AuthType::Digest,
                "HMAC" => AuthType::Hmac,
                other => {
                    let why = "BASIC, DIGEST or HMAC is expected";
                    return Err(Fault::invalid("dmAccount.authType", other.escape_debug(), why));
                }
            });
        }
        Column::ClientName => account.client_name = owned("dmAccount.clientName")?,
        Column::ClientSecret => account.client_secret = owned("dmAccount.clientSecret")?,
        Column::ClientNonce => account.client_nonce = Some(nonce(cell, "dmAccount.clientNonce")?),
        Column::ServerId => account.server_id = owned("dmAccount.serverId")?,
        Column::ServerName => account.server_name = owned("dmAccount.serverName")?,
        Column::ServerSecret => account.server_secret = owned("dmAccount.serverSecret")?,
        Column::ServerNonce => account.server_nonce = Some(nonce(cell, "dmAccount.serverNonce")?),
        _ => {}
    }
    Ok(())
}

/// The text of a cell. What it holds is not quoted: it may be a secret.
fn text<'c>(cell: &'c [u8], column: &str) -> Result<&'c str, Fault> {
    std::str::from_utf8(cell).map_err(|error| {
        let why = format!("octet {} is not UTF-8; save the file as UTF-8", error.valid_up_to());
        Fault::invalid(column, "…", why)
    })
}

fn nonce(cell: &[u8], column: &str) -> Result<Vec<u8>, Fault> {
    let dense: Cow<'_, [u8]> = if cell.iter().any(u8::is_ascii_whitespace) {
        cell.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect()
    } else {
        Cow::Borrowed(cell)
    };
    STANDARD.decode(dense).map_err(|_| Fault::invalid(column, "…", "base64 is expected"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may fail by panic")]
mod tests {
    use muster_broker::device::ManagementState;

    use super::super::csv::record;
    use super::*;
    use crate::contract::{Cardinality, FieldDescriptor, Kind, Record as _, device_manager};

    fn columns(header: &str) -> Result<Columns, Fault> {
        let mut cells = Cells::default();
        record(header.as_bytes(), true, &mut cells).unwrap();
        Columns::read(&cells, header.as_bytes())
    }

    fn row(header: &str, row: &[u8]) -> Result<DeviceFields, Fault> {
        let columns = columns(header)?;
        let mut cells = Cells::default();
        record(row, true, &mut cells).unwrap();
        columns.fields(&cells, row)
    }

    #[test]
    fn columns_are_the_fields_of_the_contract_and_no_others() {
        let mut names = Vec::new();
        fn collect(fields: &[FieldDescriptor], before: &str, names: &mut Vec<String>) {
            for field in fields {
                match field.kind {
                    // Pairs of name and value become columns of their own.
                    Kind::Record(_) if field.cardinality == Cardinality::Many => {}
                    Kind::Record(record) => collect(record.fields, &format!("{}.", field.name), names),
                    _ => names.push(format!("{before}{}", field.name)),
                }
            }
        }
        collect(device_manager::DeviceInstance::DESCRIPTOR.fields, "", &mut names);
        assert_eq!(NAMES.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>(), names);
    }

    #[test]
    fn a_row_has_every_field_of_a_record() {
        let header = "oid,deviceID,phoneNumber,imsi,deviceCapabilityOid,manufacturer,model,firmwareVersion,\
                      softwareVersion,managementState,subscriberId,group,group,lastSeenAt,dmAccount.authType,\
                      dmAccount.clientName,dmAccount.clientSecret,dmAccount.clientNonce,dmAccount.serverId,\
                      dmAccount.serverName,dmAccount.serverSecret,dmAccount.serverNonce,attribute.site,version";
        let text = "d1,490154203237518,15551234567,262011,c-1,Acme,One,1.0,2.0,SUSPENDED,s,a; b,c,2026-01-01T00:00:00Z,\
                    HMAC,name,secret,AQI=,id,server,other,Aw==,north,7";
        let fields = row(header, text.as_bytes()).unwrap();
        assert_eq!(fields.oid.as_deref(), Some("d1"));
        assert_eq!(fields.device_id.unwrap().as_str(), "IMEI:490154203237518");
        assert_eq!(fields.phone_number.unwrap().as_str(), "+15551234567");
        assert_eq!(fields.imsi.as_deref(), Some("262011"));
        assert_eq!(fields.capability_oid.as_deref(), Some("c-1"));
        assert_eq!([fields.manufacturer.unwrap(), fields.model.unwrap()], ["Acme", "One"]);
        assert_eq!([fields.firmware_version.unwrap(), fields.software_version.unwrap()], ["1.0", "2.0"]);
        assert_eq!(fields.management_state, Some(ManagementState::Suspended));
        assert_eq!(fields.subscriber_id.as_deref(), Some("s"));
        assert_eq!(fields.group, ["a", "b", "c"]);
        assert_eq!(fields.attribute, [("site".to_owned(), "north".to_owned())]);
        assert_eq!(fields.version, Some(7));
        let account = fields.account.unwrap();
        assert_eq!(
            account,
            AccountFields {
                auth_type: AuthType::Hmac,
                client_name: "name".into(),
                client_secret: Some("secret".into()),
                client_nonce: Some(vec![1, 2]),
                server_id: Some("id".into()),
                server_name: Some("server".into()),
                server_secret: Some("other".into()),
                server_nonce: Some(vec![3]),
            }
        );
        // Cells without text are fields left out.
        let empty = ",490154203237518,,,,,,,,,,,,,,,,,,,,,,";
        let fields = row(header, empty.as_bytes()).unwrap();
        assert_eq!(fields, DeviceFields { device_id: fields.device_id.clone(), ..DeviceFields::default() });
    }

    #[test]
    fn a_header_that_cannot_be_is_told_with_what_to_do() {
        for (header, name, told) in [
            ("deviceID,colour", FaultName::InvalidArgument, "known are oid, deviceID"),
            ("DeviceId", FaultName::InvalidArgument, "deviceID is meant"),
            ("deviceID;model", FaultName::InvalidArgument, "parted by commas"),
            ("deviceID,deviceID", FaultName::InvalidArgument, "stands twice"),
            ("deviceID,attribute.a,attribute.a", FaultName::InvalidArgument, "stands twice"),
            ("deviceID,attribute.", FaultName::InvalidArgument, "no such column"),
            ("manufacturer,model", FaultName::MissingArgument, "deviceID, phoneNumber or oid"),
            ("deviceID,\"x", FaultName::InvalidArgument, "not closed"),
            (&format!("deviceID{}", ",group".repeat(256)), FaultName::InvalidArgument, "256 columns"),
        ] {
            let fault = columns(header).unwrap_err();
            assert_eq!(fault.name, name, "{header}");
            assert!(fault.text.contains(told), "{}", fault.text);
        }
    }

    #[test]
    fn a_row_that_cannot_be_names_its_column_and_never_its_secrets() {
        let header = "deviceID,version,managementState,dmAccount.authType,dmAccount.clientName,\
                      dmAccount.clientSecret,dmAccount.clientNonce";
        for (text, variable) in [
            (&b"IMEI:490154203237510,,,,,,"[..], "deviceID"),
            (b"A,x,,,,,", "version"),
            (b"A,,ASLEEP,,,,", "managementState"),
            (b"A,,,MD5,n,s,", "dmAccount.authType"),
            (b"A,,,,n,s,", "dmAccount.authType"),
            (b"A,,,BASIC,,s,", "dmAccount.clientName"),
            (b"A,,,BASIC,n,s,!hunter2", "dmAccount.clientNonce"),
            (b"A,,,BASIC,n,hunter2\xff,", "dmAccount.clientSecret"),
            (b"A,,", "row"),
            (b"A,,,,,,,", "row"),
            (b"\"A\"B,,,,,,", "row"),
        ] {
            let fault = row(header, text).unwrap_err();
            assert_eq!(fault.variables[0], variable, "{fault}");
            assert!(!format!("{fault:?}").contains("hunter2"));
        }
    }

    #[test]
    fn formulas_are_text_as_any_other() {
        let fields = row("deviceID,model,attribute.note", b"A,\"=HYPERLINK(\"\"x\"\")\",@SUM(1)").unwrap();
        assert_eq!(fields.model.as_deref(), Some("=HYPERLINK(\"x\")"));
        assert_eq!(fields.attribute, [("note".to_owned(), "@SUM(1)".to_owned())]);
    }
}
