use proptest::prelude::*;

use super::*;
use crate::id::{CapabilityOid, DeviceOid, JobId};

fn devices(text: &str) -> Filter<DeviceField> {
    Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn and_binds_more_than_or_and_not_more_than_both() {
    let model = |name: &str| Filter::equal(DeviceField::Model, text(name));
    let expected = Filter::any(vec![
        model("a"),
        Filter::all(vec![Filter::Not(Box::new(model("b"))), model("c")]),
        Filter::Test(DeviceField::Imsi, Test::Has),
    ]);
    assert_eq!(devices("model = a or not model = 'b' AND model=\"c\" or has(imsi)"), expected);
    assert_eq!(devices("(model=a or ((not model=b) and model=c)) or HAS ( imsi )"), expected);
}

#[test]
fn an_asterisk_at_the_end_of_a_quoted_text_matches_any_ending() {
    let starts = || Filter::Test(DeviceField::FirmwareVersion, Test::StartsWith("2.".into()));
    assert_eq!(devices("firmwareVersion = \"2.*\""), starts());
    assert_eq!(devices("firmwareVersion startsWith '2.'"), starts());
    assert_eq!(devices("firmwareVersion != '2.*'"), Filter::Not(Box::new(starts())));
    assert_eq!(
        devices(r#"firmwareVersion = "2.\*""#),
        Filter::equal(DeviceField::FirmwareVersion, text("2.*")),
        "an escaped asterisk is one"
    );
}

#[test]
fn every_field_is_read_with_a_value_of_its_type() {
    let device = DeviceOid::new(uuid::Uuid::from_u128(7));
    let capability = CapabilityOid(uuid::Uuid::from_u128(7));
    for expression in [
        format!("oid = {device}"),
        "deviceID = IMEI:490154203237518".into(),
        "deviceID < 'IMEI:490154203237518'".into(),
        "phoneNumber in ('+15550000001', +15550000002)".into(),
        "imsi startsWith 26201".into(),
        format!("deviceCapabilityOid = {capability}"),
        "manufacturer >= A and manufacturer < B".into(),
        "managementState in (KNOWN, MANAGED)".into(),
        "group = pilot".into(),
        "lastSeenAt < 2026-11-21T08:00:00Z or absent(lastSeenAt)".into(),
        "attribute.site = north and attribute.\"cost centre\" != '7 a' and has(attribute.x)".into(),
    ] {
        devices(&expression);
    }
    let job = JobId(uuid::Uuid::from_u128(7));
    let tasks = format!(
        "jobId = {job} and status in (FAILED, EXPIRED) and testCycle = false and createdAt >= 2026-01-01T00:00:00Z"
    );
    Filter::<TaskField>::parse(&tasks).unwrap();
    Filter::<JobField>::parse("name = 'Spring*' and owner != care and operation = UPDATE").unwrap();
    Filter::<CapabilityField>::parse("tac = 35391110 and absent(firmwareVersion)").unwrap();
}

#[test]
fn an_error_says_where_and_what_is_expected() {
    for (expression, at, part) in [
        ("", 1, "a field is expected: oid, deviceID"),
        ("model", 6, "a comparison"),
        ("model =", 8, "a value is expected"),
        ("model = a b", 11, "or the end is expected"),
        ("modell = a", 1, "no field of the list"),
        ("model = a and", 14, "a field is expected"),
        ("(model = a", 11, ") is expected"),
        ("model = \"a", 11, "the closing \""),
        ("model = \"a*b\"", 11, "an asterisk stands at the end"),
        ("model = \"a\\b\"", 11, "after \\"),
        ("model < 'a*'", 9, "for = and !="),
        ("model in ('a*')", 11, "for = and !="),
        ("model in ()", 11, "a value is expected"),
        ("model in a", 10, "( and values"),
        ("model ! a", 7, "one of ="),
        ("model = ;", 9, "put other characters in quotes"),
        ("managementState = BROKEN", 19, "one of KNOWN"),
        ("managementState < KNOWN", 17, "has no order"),
        ("group startsWith a", 7, "takes no prefix"),
        ("group = 'a*'", 9, "takes no prefix"),
        ("lastSeenAt > yesterday", 14, "a date and time"),
        ("deviceCapabilityOid = c-1", 23, ""),
        ("phoneNumber = 12", 15, ""),
        ("has model", 1, "no field"),
        ("has(model", 10, ") is expected"),
        ("é = 1", 1, "no field"),
        ("model = 'é' x", 13, "or the end"),
        ("attribute. = 1", 1, "no field"),
    ] {
        let error = Filter::<DeviceField>::parse(expression).unwrap_err();
        assert_eq!(error.at, at, "{expression}: {error}");
        assert!(error.expected.contains(part), "{expression}: {error}");
    }
}

#[test]
fn a_bad_expression_is_an_invalid_argument_that_quotes_little() {
    let fault = Filter::<DeviceField>::read(Some("model = \"\u{7}*x\"")).unwrap_err();
    assert_eq!(fault.name, crate::fault::FaultName::InvalidArgument);
    assert_eq!(fault.variables[0], PARAMETER);
    assert!(!fault.text.contains('\u{7}'), "{}", fault.text);
    assert_eq!(Filter::<DeviceField>::read(None), Ok(None));
}

#[test]
fn length_depth_and_terms_are_bounded_at_their_limits() {
    let long = |octets: usize| format!("model = '{}'", "a".repeat(octets - 10));
    devices(&long(OCTETS_MAX));
    assert!(Filter::<DeviceField>::parse(&long(OCTETS_MAX + 1)).is_err());

    let deep = |depth: usize| format!("{}model = a{}", "(".repeat(depth), ")".repeat(depth));
    devices(&deep(DEPTH_MAX));
    assert!(Filter::<DeviceField>::parse(&deep(DEPTH_MAX + 1)).is_err());
    devices(&format!("{}model = a", "not ".repeat(DEPTH_MAX)));
    assert!(Filter::<DeviceField>::parse(&format!("{}model = a", "not ".repeat(DEPTH_MAX + 1))).is_err());

    let many = |terms: usize| vec!["model = a"; terms].join(" or ");
    devices(&many(TERMS_MAX));
    assert!(Filter::<DeviceField>::parse(&many(TERMS_MAX + 1)).is_err());
    let values = |terms: usize| format!("model in ({})", vec!["a"; terms].join(","));
    devices(&values(TERMS_MAX));
    assert!(Filter::<DeviceField>::parse(&values(TERMS_MAX + 1)).is_err());
}

#[test]
fn names_and_fields_agree() {
    fn check<F: Field>() {
        for name in F::NAMES {
            let field = F::parse(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(field.name(), *name);
        }
        assert_eq!(F::parse("no such field"), None);
    }
    check::<DeviceField>();
    check::<TaskField>();
    check::<JobField>();
    check::<CapabilityField>();
    check::<SubscriberField>();
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-zA-Z0-9 .*\\\\\"'()%_;-]{0,12}",
        any::<String>().prop_map(|text| text.chars().take(8).collect())
    ]
}

fn tests() -> impl Strategy<Value = Filter<DeviceField>> {
    let texts = prop_oneof![
        Just(DeviceField::Model),
        Just(DeviceField::Imsi),
        words().prop_filter("named", |name| !name.is_empty()).prop_map(DeviceField::Attribute),
    ];
    let comparisons = (0..Comparison::SIGNS.len()).prop_map(|place| Comparison::SIGNS[place].1);
    let times = (-1_000_000_000_000_i64..4_000_000_000_000).prop_map(|ms| Value::Time(Timestamp(ms)));
    let of_text = prop_oneof![
        Just(Test::Has),
        (comparisons.clone(), words()).prop_map(|(comparison, value)| Test::Is(comparison, Value::Text(value))),
        prop::collection::vec(words().prop_map(Value::Text), 1..4).prop_map(Test::In),
        words().prop_map(Test::StartsWith),
    ];
    prop_oneof![
        (texts, of_text).prop_map(|(field, test)| Filter::Test(field, test)),
        words().prop_map(|group| Filter::equal(DeviceField::Group, Value::Text(group))),
        Just(Filter::equal(DeviceField::ManagementState, Value::Text("MANAGED".into()))),
        (comparisons, times)
            .prop_map(|(comparison, time)| { Filter::Test(DeviceField::LastSeenAt, Test::Is(comparison, time)) }),
    ]
}

fn filters() -> impl Strategy<Value = Filter<DeviceField>> {
    tests().prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::all),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::any),
            inner.prop_map(|part| Filter::Not(Box::new(part))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_reads_as_the_same(filter in filters()) {
        let text = filter.to_string();
        prop_assert_eq!(Filter::parse(&text), Ok(filter), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused_at_a_place_within_it(text in "[ -~é]{0,64}|[a-z()=<>!\"'*\\\\ ]{0,40}") {
        match Filter::<DeviceField>::parse(&text) {
            Ok(filter) => prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter)),
            Err(error) => prop_assert!((1..=text.chars().count() + 1).contains(&error.at), "{:?}", error),
        }
    }
}
