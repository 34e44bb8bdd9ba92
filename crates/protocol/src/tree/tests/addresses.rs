use super::*;
use crate::syncml::StatusCode;

fn refused(text: &str) -> (UriError, StatusCode) {
    let error = LocUri::parse_within(text, &UriLimits::DEVICE).unwrap_err();
    (error, error.status())
}

#[test]
fn the_leading_dot_may_be_left_out() {
    assert_eq!(uri("DevInfo/Man"), uri("./DevInfo/Man"));
    assert_eq!(uri("DevInfo/Man").to_string(), "./DevInfo/Man");
    for root in [".", "./"] {
        assert!(uri(root).is_root());
    }
}

#[test]
fn addresses_of_windows_and_of_odd_names_are_taken() {
    for text in [
        "./User/Vendor/MSFT/Policy",
        "./Device/Vendor/MSFT/EnterpriseDesktopAppManagement/MSI/%7B0C1A%7D/Status",
        "./Vendor/MSFT/WiFi/Profile/My%20Network",
        "./A/50%",
        "./A/.hidden/a..b/...",
        "./ü€/𝄞",
        "./A/b c",
    ] {
        assert_eq!(uri(text).path(), text);
    }
}

#[test]
fn comparison_is_by_case() {
    assert_ne!(uri("./devinfo"), uri("./DevInfo"));
}

#[test]
fn dot_dot_is_refused_written_and_encoded() {
    for text in ["..", "../A", "./..", "./A/../B", "./A/..", "./A/./B", "././A", "./A/%2e%2E/B", "./A/%2e"] {
        assert_eq!(refused(text), (UriError::DotSegment, StatusCode::NOT_FOUND), "{text}");
    }
}

#[test]
fn double_slashes_and_a_slash_at_the_end_are_refused() {
    for text in ["./A//B", ".//A", "./A/", "A//", "./A/ /B/"] {
        assert_eq!(refused(text), (UriError::EmptySegment, StatusCode::NOT_FOUND), "{text}");
    }
}

#[test]
fn a_leading_slash_is_refused() {
    for text in ["/", "/DevInfo", "//", "/../etc/passwd"] {
        assert_eq!(refused(text), (UriError::LeadingSlash, StatusCode::NOT_FOUND), "{text}");
    }
}

#[test]
fn encoded_slashes_are_refused() {
    for text in ["./A%2FB", "./A/%2f", "./%2F%2e%2e%2Fetc"] {
        assert_eq!(refused(text), (UriError::EncodedSlash, StatusCode::BAD_REQUEST), "{text}");
    }
    // Encoded twice it is a name with a percent sign in it.
    assert_eq!(uri("./A/%252F").name(), "%252F");
}

#[test]
fn nul_and_control_characters_are_refused_written_and_encoded() {
    for text in ["./A\0", "./A\n/B", "./A/%00", "./A/%0d%0aB", "./A/\u{7F}", "./A/\u{85}", "./\u{FFFF}"] {
        assert_eq!(refused(text), (UriError::Control, StatusCode::BAD_REQUEST), "{text}");
    }
}

#[test]
fn encoded_octets_that_are_no_text_are_refused() {
    for text in ["./A/%FF", "./%C0%AF", "./%C0%AE%C0%AE/B"] {
        assert_eq!(refused(text), (UriError::NotText, StatusCode::BAD_REQUEST), "{text}");
    }
}

#[test]
fn no_text_is_refused() {
    assert_eq!(refused(""), (UriError::Empty, StatusCode::NOT_FOUND));
    assert_eq!(refused("?prop=ACL"), (UriError::Empty, StatusCode::NOT_FOUND));
}

#[test]
fn ten_thousand_characters_are_refused() {
    for text in ["a".repeat(10_000), "a/".repeat(5_000), format!("./A?list={}", "x".repeat(10_000))] {
        let (_, status) = refused(&text);
        assert_eq!(status, StatusCode::URI_TOO_LONG);
        assert!(LocUri::parse(&text).is_err());
    }
}

#[test]
fn each_limit_holds_at_its_edge() {
    let limits = UriLimits { depth_max: 3, total_bytes_max: 12, segment_bytes_max: 6 };
    let parse = |text: &str| LocUri::parse_within(text, &limits).map(|it| it.to_string());

    assert_eq!(parse("./a/b/c").as_deref(), Ok("./a/b/c"));
    assert_eq!(parse("./a/b/c/d"), Err(UriError::TooDeep { max: 3 }));
    assert_eq!(parse("./123456").as_deref(), Ok("./123456"));
    assert_eq!(parse("./1234567"), Err(UriError::SegmentTooLong { max: 6 }));
    assert_eq!(parse("./123/456789").as_deref(), Ok("./123/456789"));
    assert_eq!(parse("./1234/56789A"), Err(UriError::TooLong { max: 12 }));
    // Counted as it is written in full.
    assert_eq!(parse("12345/12345"), Err(UriError::TooLong { max: 12 }));
    assert!(parse("./123/456789?prop=TStamp").is_ok());
}

#[test]
fn queries_are_read_and_others_refused() {
    for (text, written) in [
        ("./A?prop=ACL", "./A?prop=ACL"),
        (".?list=Struct", ".?list=Struct"),
        ("A?list=StructData", "./A?list=StructData"),
        ("./A?list=TNDS", "./A?list=TNDS"),
        ("./A?list=TNDS+Value-ACL", "./A?list=TNDS+Value"),
        ("./A?list=TNDS-Format", "./A?list=TNDS+ACL+Name+Size+Title+TStamp+Type+VerNo+Value"),
    ] {
        assert_eq!(uri(text).to_string(), written);
        assert_eq!(uri(written), uri(text));
        assert_eq!(uri(text).node().query(), None);
    }
    for text in [
        "./A?",
        "./A?prop=",
        "./A?prop=acl",
        "./A?prop=Value",
        "./A?list=struct",
        "./A?list=TNDS+",
        "./A?x=1",
        "./A?prop=ACL?prop=ACL",
        "./A?prop=ACL&list=Struct",
        "./A?list=TNDSx",
    ] {
        assert_eq!(refused(text), (UriError::UnknownQuery, StatusCode::NOT_SUPPORTED), "{text}");
    }
}

#[test]
fn a_longest_selector_is_within_the_limit() {
    let all =
        "./A?list=TNDS+ACL+Format+Name+Size+Title+TStamp+Type+VerNo+Value-ACL-Format-Name-Size-Title-TStamp-Type-VerNo";
    assert!(LocUri::parse(all).is_ok());
}

#[test]
fn relations_of_addresses() {
    let deep = uri("./A/B/C");

    assert_eq!((deep.name(), uri(".").name()), ("C", "."));
    assert_eq!(deep.parent(), Some(uri("./A/B")));
    assert_eq!((uri("./A").parent(), uri(".").parent()), (Some(uri(".")), None));
    assert_eq!(deep.ancestors().collect::<Vec<_>>(), [uri("."), uri("./A"), uri("./A/B")]);
    assert_eq!(deep.segments().collect::<Vec<_>>(), ["A", "B", "C"]);
    assert_eq!(deep.relative_to(&uri("./A")), Some("B/C"));
    assert_eq!((deep.relative_to(&uri(".")), deep.relative_to(&deep)), (Some("A/B/C"), Some("")));
    assert_eq!(uri("./AB").relative_to(&uri("./A")), None);
    assert_eq!(deep.child("D E", &UriLimits::DEVICE).unwrap(), uri("./A/B/C/D E"));
    for name in ["", "..", "D/E", "D?prop=ACL", "%2F"] {
        assert!(deep.child(name, &UriLimits::DEVICE).is_err(), "{name}");
    }
}
