//! The attribute code pages of provisioning documents, written once.
//!
//! Source: OMA Provisioning Content 1.1 (OMA-WAP-ProvCont), "WBXML encoding".

const NAME: &str = "name";
const VALUE: &str = "value";
const VERSION: &str = "version";
const TYPE: &str = "type";

/// Tags, the same on both pages, from 0x05.
const TAGS: [&str; 3] = ["wap-provisioningdoc", "characteristic", "parm"];

/// Token, attribute, and the beginning of its value.
type Start = (u8, &'static str, &'static str);

/// Attribute starts of page 0, by token.
#[rustfmt::skip]
const STARTS_0: &[Start] = &[
    (0x05, NAME, ""), (0x06, VALUE, ""), (0x07, NAME, "NAME"), (0x08, NAME, "NAP-ADDRESS"),
    (0x09, NAME, "NAP-ADDRTYPE"), (0x0A, NAME, "CALLTYPE"), (0x0B, NAME, "VALIDUNTIL"), (0x0C, NAME, "AUTHTYPE"),
    (0x0D, NAME, "AUTHNAME"), (0x0E, NAME, "AUTHSECRET"), (0x0F, NAME, "LINGER"), (0x10, NAME, "BEARER"),
    (0x11, NAME, "NAPID"), (0x12, NAME, "COUNTRY"), (0x13, NAME, "NETWORK"), (0x14, NAME, "INTERNET"),
    (0x15, NAME, "PROXY-ID"), (0x16, NAME, "PROXY-PROVIDER-ID"), (0x17, NAME, "DOMAIN"), (0x18, NAME, "PROVURL"),
    (0x19, NAME, "PXAUTH-TYPE"), (0x1A, NAME, "PXAUTH-ID"), (0x1B, NAME, "PXAUTH-PW"), (0x1C, NAME, "STARTPAGE"),
    (0x1D, NAME, "BASAUTH-ID"), (0x1E, NAME, "BASAUTH-PW"), (0x1F, NAME, "PUSHENABLED"), (0x20, NAME, "PXADDR"),
    (0x21, NAME, "PXADDRTYPE"), (0x22, NAME, "TO-NAPID"), (0x23, NAME, "PORTNBR"), (0x24, NAME, "SERVICE"),
    (0x25, NAME, "LINKSPEED"), (0x26, NAME, "DNLINKSPEED"), (0x27, NAME, "LOCAL-ADDR"),
    (0x28, NAME, "LOCAL-ADDRTYPE"), (0x29, NAME, "CONTEXT-ALLOW"), (0x2A, NAME, "TRUST"), (0x2B, NAME, "MASTER"),
    (0x2C, NAME, "SID"), (0x2D, NAME, "SOC"), (0x2E, NAME, "WSP-VERSION"), (0x2F, NAME, "PHYSICAL-PROXY-ID"),
    (0x30, NAME, "CLIENT-ID"), (0x31, NAME, "DELIVERY-ERR-SDU"), (0x32, NAME, "DELIVERY-ORDER"),
    (0x33, NAME, "TRAFFIC-CLASS"), (0x34, NAME, "MAX-SDU-SIZE"), (0x35, NAME, "MAX-BITRATE-UPLINK"),
    (0x36, NAME, "MAX-BITRATE-DNLINK"), (0x37, NAME, "RESIDUAL-BER"), (0x38, NAME, "SDU-ERROR-RATIO"),
    (0x39, NAME, "TRAFFIC-HANDL-PRIO"), (0x3A, NAME, "TRANSFER-DELAY"), (0x3B, NAME, "GUARANTEED-BITRATE-UPLINK"),
    (0x3C, NAME, "GUARANTEED-BITRATE-DNLINK"), (0x3D, NAME, "PXADDR-FQDN"), (0x3E, NAME, "PROXY-PW"),
    (0x3F, NAME, "PPGAUTH-TYPE"), (0x45, VERSION, ""), (0x46, VERSION, "1.0"), (0x47, NAME, "PULLENABLED"),
    (0x48, NAME, "DNS-ADDR"), (0x49, NAME, "MAX-NUM-RETRY"), (0x4A, NAME, "FIRST-RETRY-TIMEOUT"),
    (0x4B, NAME, "REREG-THRESHOLD"), (0x4C, NAME, "T-BIT"), (0x4E, NAME, "AUTH-ENTITY"), (0x4F, NAME, "SPI"),
    (0x50, TYPE, ""), (0x51, TYPE, "PXLOGICAL"), (0x52, TYPE, "PXPHYSICAL"), (0x53, TYPE, "PORT"),
    (0x54, TYPE, "VALIDITY"), (0x55, TYPE, "NAPDEF"), (0x56, TYPE, "BOOTSTRAP"), (0x57, TYPE, "VENDORCONFIG"),
    (0x58, TYPE, "CLIENTIDENTITY"), (0x59, TYPE, "PXAUTHINFO"), (0x5A, TYPE, "NAPAUTHINFO"), (0x5B, TYPE, "ACCESS"),
];

/// Attribute starts of page 1, by token.
#[rustfmt::skip]
const STARTS_1: &[Start] = &[
    (0x05, NAME, ""), (0x06, VALUE, ""), (0x07, NAME, "NAME"), (0x14, NAME, "INTERNET"), (0x1C, NAME, "STARTPAGE"),
    (0x22, NAME, "TO-NAPID"), (0x23, NAME, "PORTNBR"), (0x24, NAME, "SERVICE"), (0x2E, NAME, "AACCEPT"),
    (0x2F, NAME, "AAUTHDATA"), (0x30, NAME, "AAUTHLEVEL"), (0x31, NAME, "AAUTHNAME"), (0x32, NAME, "AAUTHSECRET"),
    (0x33, NAME, "AAUTHTYPE"), (0x34, NAME, "ADDR"), (0x35, NAME, "ADDRTYPE"), (0x36, NAME, "APPID"),
    (0x37, NAME, "APROTOCOL"), (0x38, NAME, "PROVIDER-ID"), (0x39, NAME, "TO-PROXY"), (0x3A, NAME, "URI"),
    (0x3B, NAME, "RULE"), (0x50, TYPE, ""), (0x53, TYPE, "PORT"), (0x55, TYPE, "APPLICATION"),
    (0x56, TYPE, "APPADDR"), (0x57, TYPE, "APPAUTH"), (0x58, TYPE, "CLIENTIDENTITY"), (0x59, TYPE, "RESOURCE"),
];

/// Value tokens of page 0, by token.
#[rustfmt::skip]
const VALUES_0: &[(u8, &str)] = &[
    (0x85, "IPV4"), (0x86, "IPV6"), (0x87, "E164"), (0x88, "ALPHA"), (0x89, "APN"), (0x8A, "SCODE"),
    (0x8B, "TETRA-ITSI"), (0x8C, "MAN"), (0x90, "ANALOG-MODEM"), (0x91, "V.120"), (0x92, "V.110"), (0x93, "X.31"),
    (0x94, "BIT-TRANSPARENT"), (0x95, "DIRECT-ASYNCHRONOUS-DATA-SERVICE"), (0x9A, "PAP"), (0x9B, "CHAP"),
    (0x9C, "HTTP-BASIC"), (0x9D, "HTTP-DIGEST"), (0x9E, "WTLS-SS"), (0x9F, "MD5"), (0xA2, "GSM-USSD"),
    (0xA3, "GSM-SMS"), (0xA4, "ANSI-136-GUTS"), (0xA5, "IS-95-CDMA-SMS"), (0xA6, "IS-95-CDMA-CSD"),
    (0xA7, "IS-95-CDMA-PACKET"), (0xA8, "ANSI-136-CSD"), (0xA9, "ANSI-136-GPRS"), (0xAA, "GSM-CSD"),
    (0xAB, "GSM-GPRS"), (0xAC, "AMPS-CDPD"), (0xAD, "PDC-CSD"), (0xAE, "PDC-PACKET"), (0xAF, "IDEN-SMS"),
    (0xB0, "IDEN-CSD"), (0xB1, "IDEN-PACKET"), (0xB2, "FLEX/REFLEX"), (0xB3, "PHS-SMS"), (0xB4, "PHS-CSD"),
    (0xB5, "TETRA-SDS"), (0xB6, "TETRA-PACKET"), (0xB7, "ANSI-136-GHOST"), (0xB8, "MOBITEX-MPAK"),
    (0xB9, "CDMA2000-1X-SIMPLE-IP"), (0xBA, "CDMA2000-1X-MOBILE-IP"), (0xC5, "AUTOBAUDING"), (0xCA, "CL-WSP"),
    (0xCB, "CO-WSP"), (0xCC, "CL-SEC-WSP"), (0xCD, "CO-SEC-WSP"), (0xCE, "CL-SEC-WTA"), (0xCF, "CO-SEC-WTA"),
    (0xD0, "OTA-HTTP-TO"), (0xD1, "OTA-HTTP-TLS-TO"), (0xD2, "OTA-HTTP-PO"), (0xD3, "OTA-HTTP-TLS-PO"),
    (0xE0, "AAA"), (0xE1, "HA"),
];

/// Value tokens of page 1, by token. The pieces of `AAUTHTYPE` stand at 0x90 to 0x93 in the later revision; an earlier one
/// had them at 0x80 to 0x83, where no WBXML reader can take them for values.
#[rustfmt::skip]
const VALUES_1: &[(u8, &str)] = &[
    (0x86, "IPV6"), (0x87, "E164"), (0x88, "ALPHA"), (0x8D, "APPSRV"), (0x8E, "OBEX"), (0x90, ","), (0x91, "HTTP-"),
    (0x92, "BASIC"), (0x93, "DIGEST"),
];

/// Name of a tag. Its tokens are the same on both pages, so encoders may leave the tag page alone.
pub(crate) fn tag(page: u8, token: u8) -> Option<&'static str> {
    if page > 1 {
        return None;
    }
    TAGS.get(usize::from(token).checked_sub(5)?).copied()
}

/// Name of an attribute and the beginning of its value.
pub(super) fn start(page: u8, token: u8) -> Option<(&'static str, &'static str)> {
    let starts = match page {
        0 => STARTS_0,
        1 => STARTS_1,
        _ => return None,
    };
    starts.iter().find(|it| it.0 == token).map(|it| (it.1, it.2))
}

/// What a value token stands for.
pub(super) fn value(page: u8, token: u8) -> Option<&'static str> {
    let values = match page {
        0 => VALUES_0,
        1 => VALUES_1,
        _ => return None,
    };
    values.iter().find(|it| it.0 == token).map(|it| it.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stand_at_the_places_of_the_specification() {
        assert_eq!((STARTS_0.len(), STARTS_1.len(), VALUES_0.len(), VALUES_1.len()), (81, 29, 58, 9));
        for (page, token, attribute, text) in [
            (0, 0x06, "value", ""),
            (0, 0x10, "name", "BEARER"),
            (0, 0x46, "version", "1.0"),
            (0, 0x55, "type", "NAPDEF"),
            (1, 0x55, "type", "APPLICATION"),
            (1, 0x36, "name", "APPID"),
        ] {
            assert_eq!(start(page, token), Some((attribute, text)));
        }
        assert_eq!(
            (value(0, 0xAB), value(1, 0x8D), value(1, 0x93)),
            (Some("GSM-GPRS"), Some("APPSRV"), Some("DIGEST"))
        );
        assert_eq!((value(1, 0x83), start(2, 0x05), tag(0, 0x08)), (None, None, None));
        assert_eq!((tag(0, 0x05), tag(1, 0x07)), (Some("wap-provisioningdoc"), Some("parm")));
    }

    #[test]
    fn tokens_rise_and_none_stands_twice() {
        for starts in [STARTS_0, STARTS_1] {
            assert!(starts.is_sorted_by(|a, b| a.0 < b.0));
        }
        assert!(VALUES_0.is_sorted_by(|a, b| a.0 < b.0));
    }
}
