/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Encoding {
    /// `application/vnd.syncml.dm+xml`
    Xml,
    /// `application/vnd.syncml.dm+wbxml`
    Wbxml,
}

/// What libdmclient and clients of SyncML before OMA DM write.
const SYNCML_XML: &str = "application/vnd.syncml+xml";
const SYNCML_WBXML: &str = "application/vnd.syncml+wbxml";

/// A media type without its parameters.
fn essence(content_type: Option<&str>) -> &str {
    content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim()
}

impl Encoding {
    /// The media type of a DM 1.2 message in this encoding.
    ///
    /// Source: OMA DM 1.2 Protocol, MIME usage.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Xml => "application/vnd.syncml.dm+xml",
            Self::Wbxml => "application/vnd.syncml.dm+wbxml",
        }
    }

    /// The media type of an answer to a request of type `request`: that of the family the request used, since clients
    /// older than OMA DM look for their own.
    ///
    /// Source: OMA DM 1.2 HTTP Binding; MIME usage in SyncML 1.1.
    #[must_use]
    pub fn media_type_of_answer(self, request: Option<&str>) -> &'static str {
        match (self, essence(request)) {
            (Self::Xml, it) if it.eq_ignore_ascii_case(SYNCML_XML) => SYNCML_XML,
            (Self::Wbxml, it) if it.eq_ignore_ascii_case(SYNCML_WBXML) => SYNCML_WBXML,
            _ => self.media_type(),
        }
    }

    /// The encoding of a request: by its `Content-Type`, or by the first octet of `body` where there is none or one
    /// that says nothing (`application/octet-stream`). Nothing for other media types.
    ///
    /// Parameters, letter case and space around are ignored. Besides the media types of DM those of SyncML before
    /// it are taken, which libdmclient and old clients send, and the general ones of XML.
    ///
    /// Source: OMA DM 1.2 HTTP Binding; MIME usage in SyncML 1.1.
    #[must_use]
    pub fn sniff(content_type: Option<&str>, body: &[u8]) -> Option<Self> {
        const BY_BODY: [&str; 2] = ["", "application/octet-stream"];
        const XML: [&str; 4] = ["application/vnd.syncml.dm+xml", SYNCML_XML, "application/xml", "text/xml"];
        const WBXML: [&str; 2] = ["application/vnd.syncml.dm+wbxml", SYNCML_WBXML];
        let media_type = essence(content_type);
        let is_one_of = |types: &[&str]| types.iter().any(|it| it.eq_ignore_ascii_case(media_type));
        if is_one_of(&XML) {
            Some(Self::Xml)
        } else if is_one_of(&WBXML) {
            Some(Self::Wbxml)
        } else if is_one_of(&BY_BODY) {
            Self::of_body(body)
        } else {
            None
        }
    }

    fn of_body(body: &[u8]) -> Option<Self> {
        match body {
            [1..=3, ..] => Some(Self::Wbxml),
            [0xEF, 0xBB, 0xBF, ..] => Some(Self::Xml),
            _ if body.trim_ascii_start().starts_with(b"<") => Some(Self::Xml),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_of_dm_and_of_old_clients_are_known() {
        for (content_type, encoding) in [
            ("application/vnd.syncml.dm+xml", Some(Encoding::Xml)),
            ("application/vnd.syncml.dm+wbxml; charset=\"utf-8\"", Some(Encoding::Wbxml)),
            (" Application/VND.SyncML.DM+WBXML ;verproto=DM/1.2", Some(Encoding::Wbxml)),
            ("application/vnd.syncml+xml", Some(Encoding::Xml)),
            ("application/vnd.syncml+wbxml", Some(Encoding::Wbxml)),
            ("text/xml; charset=utf-8", Some(Encoding::Xml)),
            ("application/xml", Some(Encoding::Xml)),
            ("application/json", None),
            ("text/html", None),
            ("application/vnd.syncml.dm+xmlx", None),
        ] {
            assert_eq!(Encoding::sniff(Some(content_type), &[]), encoding, "{content_type}");
        }
    }

    #[test]
    fn answer_has_the_media_type_family_of_the_request() {
        for (encoding, request, answer) in [
            (Encoding::Xml, Some("application/vnd.syncml.dm+xml"), "application/vnd.syncml.dm+xml"),
            (Encoding::Xml, Some("application/vnd.syncml+xml; charset=utf-8"), "application/vnd.syncml+xml"),
            (Encoding::Wbxml, Some("Application/vnd.SyncML+wbxml"), "application/vnd.syncml+wbxml"),
            (Encoding::Wbxml, Some("application/vnd.syncml.dm+wbxml"), "application/vnd.syncml.dm+wbxml"),
            (Encoding::Xml, Some("text/xml"), "application/vnd.syncml.dm+xml"),
            (Encoding::Wbxml, None, "application/vnd.syncml.dm+wbxml"),
        ] {
            assert_eq!(encoding.media_type_of_answer(request), answer, "{request:?}");
        }
    }

    #[test]
    fn first_octets_tell_where_no_media_type_does() {
        for (body, encoding) in [
            (b"\x02\xA4\x01\x6A\x00".as_slice(), Some(Encoding::Wbxml)),
            (b"\x01", Some(Encoding::Wbxml)),
            (b"\x03", Some(Encoding::Wbxml)),
            (b"<SyncML>", Some(Encoding::Xml)),
            (b"\r\n<SyncML>", Some(Encoding::Xml)),
            (b"\xEF\xBB\xBF<SyncML>", Some(Encoding::Xml)),
            (b"\x00\xA4", None),
            (b"\x04", None),
            (b"{}", None),
            (b"", None),
        ] {
            assert_eq!(Encoding::sniff(None, body), encoding, "{body:?}");
            assert_eq!(Encoding::sniff(Some("application/octet-stream"), body), encoding, "{body:?}");
        }
    }
}
