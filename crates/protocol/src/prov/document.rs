use serde::Serialize;

/// A provisioning document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Document {
    /// `1.0` or `1.1`; nothing where it is left out.
    pub version: Option<String>,
    /// What it holds, in its order.
    pub characteristics: Vec<Characteristic>,
}

/// A group of parameters, for example an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Characteristic {
    /// `type`, for example `APPLICATION`.
    pub kind: String,
    /// Parameters and groups, in their order, which may have a meaning.
    pub content: Vec<Content>,
}

/// What a group holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Content {
    /// A parameter.
    Parm(Parm),
    /// A group in it.
    Characteristic(Characteristic),
}

/// A parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Parm {
    /// `name`.
    pub name: String,
    /// `value`; nothing where it is left out, as with `INIT`.
    pub value: Option<String>,
}

impl Document {
    /// The groups of this type at the top, for example `NAPDEF`.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Characteristic> {
        self.characteristics.iter().filter(move |it| it.kind == kind)
    }

    /// The account with this `APPID`, for example `w7` for device management.
    #[must_use]
    pub fn application(&self, app_id: &str) -> Option<&Characteristic> {
        self.characteristics.iter().find(|it| it.kind == "APPLICATION" && it.value("APPID") == Some(app_id))
    }
}

impl Characteristic {
    /// Parameters of this group, without those of groups in it.
    pub fn parms(&self) -> impl Iterator<Item = &Parm> {
        self.content.iter().filter_map(|it| match it {
            Content::Parm(parm) => Some(parm),
            Content::Characteristic(_) => None,
        })
    }

    /// Groups in this group of this type.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Self> {
        self.content.iter().filter_map(move |it| match it {
            Content::Characteristic(inner) if inner.kind == kind => Some(inner),
            Content::Characteristic(_) | Content::Parm(_) => None,
        })
    }

    /// The value of the first parameter of this name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.parms().find(|it| it.name == name)?.value.as_deref()
    }
}
