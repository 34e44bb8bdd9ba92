//! OpenID Connect providers that say who people are.
//!
//! A provider belongs to one domain, and can name principals of that domain and no other.
//!
//! Source: OpenID Connect Core 1.0.

use serde::{Deserialize, Serialize};

use crate::bounds::{PROVIDER_ENTRIES_MAX, PROVIDER_NAME_CHARS_MAX, PROVIDER_PEM_OCTETS_MAX, PROVIDER_TEXT_CHARS_MAX};
use crate::device::Sealed;
use crate::fault::Fault;
use crate::time::Timestamp;

/// A provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityProvider {
    /// Unique on this server, part of the address of a login; never changed.
    pub name: String,
    /// Domain whose people it knows.
    pub tenant: String,
    /// What is set about it.
    pub settings: ProviderSettings,
    /// Whether it may say who principals are that have rights beyond this domain: only if it was last set up by somebody
    /// who may do everything everywhere.
    pub vouches_everywhere: bool,
    /// Our secret there, sealed; absent for a public client.
    pub client_secret: Option<Sealed>,
    /// When it was made.
    pub created_at: Timestamp,
    /// 1 for a new one, raised by one on each change.
    pub version: i64,
}

/// What is set about a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderSettings {
    /// Longer name for people.
    pub display_name: Option<String>,
    /// Whether it is asked at all.
    pub enabled: bool,
    /// Its identifier, an https address, to the letter as it stands in its tokens.
    pub issuer: String,
    /// Who we are there.
    pub client_id: String,
    /// What is asked for besides `openid`.
    pub scopes: Vec<String>,
    /// Certificates in PEM that its TLS is verified with; those of the system when absent.
    pub trusted_certificates: Option<String>,
    /// For whom access tokens must be made that are taken as credentials; none are taken when empty.
    pub token_audiences: Vec<String>,
    /// Whether somebody who is not known yet becomes a principal.
    pub creates_principals: bool,
    /// The claim that lists groups; a dot leads into an object.
    pub groups_claim: Option<String>,
    /// Roles of those in a group, for principals that were made by this provider.
    pub roles: Vec<RoleOfGroup>,
}

/// A role that members of a group have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleOfGroup {
    /// The group, as the provider spells it.
    pub group: String,
    /// The role: built in, or of the domain.
    pub role: String,
}

impl IdentityProvider {
    /// Whether this is a name: 1 to 64 of `a` to `z`, digits and `-`, so that it stands in an address as it is.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        (1..=PROVIDER_NAME_CHARS_MAX).contains(&name.len())
            && name.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-')
    }

    /// What a principal is called by this provider: `Principal::subject`.
    #[must_use]
    pub fn subject(&self, subject: &str) -> String {
        format!("{} {subject}", self.settings.issuer)
    }
}

impl ProviderSettings {
    /// Refuses what could not work or would not be safe.
    ///
    /// # Errors
    /// `InvalidArgument`, `MissingArgument`.
    pub fn check(&self) -> Result<(), Fault> {
        let printable = |name: &str, text: &str| {
            let fits = !text.is_empty()
                && text.chars().count() <= PROVIDER_TEXT_CHARS_MAX
                && !text.chars().any(char::is_control);
            if fits { Ok(()) } else { Err(Fault::invalid(name, text, "1 to 500 printable characters are expected")) }
        };
        let address = self.issuer.strip_prefix("https://").filter(|rest| {
            let host = rest.split('/').next().unwrap_or_default();
            !host.is_empty() && !host.contains('@') && !rest.contains(['?', '#', ' ', '\\'])
        });
        printable("issuer", &self.issuer)?;
        if address.is_none() {
            let why = "an address that begins with https:// is expected, without user, query and fragment";
            return Err(Fault::invalid("issuer", &self.issuer, why));
        }
        printable("clientId", &self.client_id)?;
        self.display_name.as_ref().map_or(Ok(()), |text| printable("displayName", text))?;
        self.groups_claim.as_ref().map_or(Ok(()), |text| printable("groupsClaim", text))?;
        for (name, texts) in [("scope", &self.scopes), ("tokenAudience", &self.token_audiences)] {
            few(name, texts.len())?;
            texts.iter().try_for_each(|text| printable(name, text))?;
        }
        if let Some(scope) = self.scopes.iter().find(|scope| scope.contains([' ', '"', '\\'])) {
            return Err(Fault::invalid("scope", scope, "write each scope in an element of its own"));
        }
        few("roleOfGroup", self.roles.len())?;
        for entry in &self.roles {
            printable("roleOfGroup.group", &entry.group)?;
            printable("roleOfGroup.role", &entry.role)?;
        }
        if !self.roles.is_empty() && self.groups_claim.is_none() {
            return Err(Fault::missing("groupsClaim"));
        }
        if self.creates_principals && self.roles.is_empty() {
            // Else nobody it makes could do anything.
            return Err(Fault::missing("roleOfGroup"));
        }
        match &self.trusted_certificates {
            Some(pem) if pem.len() > PROVIDER_PEM_OCTETS_MAX => {
                Err(Fault::invalid("trustedCertificates", "…", "at most 64 KiB of PEM are expected"))
            }
            _ => Ok(()),
        }
    }

    /// The roles of somebody in these groups, each once.
    #[must_use]
    pub fn roles_of(&self, groups: &[&str]) -> Vec<&str> {
        let mut roles: Vec<&str> = Vec::new();
        for entry in &self.roles {
            if groups.contains(&entry.group.as_str()) && !roles.contains(&entry.role.as_str()) {
                roles.push(&entry.role);
            }
        }
        roles
    }
}

fn few(name: &str, count: usize) -> Result<(), Fault> {
    if count <= PROVIDER_ENTRIES_MAX { Ok(()) } else { Err(Fault::invalid(name, count, "at most 100 are taken")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> ProviderSettings {
        ProviderSettings {
            display_name: None,
            enabled: true,
            issuer: "https://id.example".into(),
            client_id: "muster".into(),
            scopes: vec!["profile".into()],
            trusted_certificates: None,
            token_audiences: Vec::new(),
            creates_principals: true,
            groups_claim: Some("groups".into()),
            roles: vec![
                RoleOfGroup { group: "ops".into(), role: "care".into() },
                RoleOfGroup { group: "all".into(), role: "care".into() },
                RoleOfGroup { group: "all".into(), role: "reader".into() },
            ],
        }
    }

    #[test]
    fn a_provider_has_an_address_with_https_and_nothing_that_could_lead_elsewhere() {
        assert_eq!(settings().check(), Ok(()));
        for issuer in [
            "",
            "http://id.example",
            "https://",
            "https:///x",
            "https://a@id.example",
            "https://id.example?x",
            "id.example",
        ] {
            assert!(ProviderSettings { issuer: issuer.into(), ..settings() }.check().is_err(), "{issuer}");
        }
    }

    #[test]
    fn principals_are_made_only_where_groups_give_them_roles() {
        assert!(ProviderSettings { roles: Vec::new(), ..settings() }.check().is_err());
        assert!(ProviderSettings { groups_claim: None, ..settings() }.check().is_err());
        assert!(ProviderSettings { scopes: vec!["a b".into()], ..settings() }.check().is_err());
    }

    #[test]
    fn a_role_of_several_groups_is_given_once() {
        assert_eq!(settings().roles_of(&["all", "ops", "else"]), ["care", "reader"]);
        assert!(settings().roles_of(&["else"]).is_empty());
    }

    #[test]
    fn a_name_stands_in_an_address_as_it_is() {
        assert!(IdentityProvider::is_name("corp-2"));
        for name in ["", "Corp", "a/b", "..", "a%2e", &"a".repeat(65)] {
            assert!(!IdentityProvider::is_name(name), "{name}");
        }
    }
}
