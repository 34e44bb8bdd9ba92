use super::ddf::{Catalogue, DOCUMENT, Description, FILES, Occurrence};
use super::*;

#[test]
fn every_description_that_is_built_in_can_be_read() {
    // Nodes of each, as they were counted in the files.
    let counts: [usize; 28] =
        [6, 34, 17, 16, 14, 13, 8, 15, 18, 116, 4, 14, 15, 24, 11, 6, 17, 7, 14, 12, 1, 16, 30, 25, 52, 59, 13, 9];
    assert_eq!(FILES.len(), counts.len());
    let mut objects = Vec::new();
    for ((name, text), count) in FILES.iter().zip(counts) {
        let description = Description::read(text.as_bytes(), &DOCUMENT).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(description.root.count(), count, "{name}");
        assert!(!description.object.is_empty(), "{name}");
        let root = description.root.format();
        assert_eq!(root, Some(Format::Node), "{name}");
        assert!(description.root.meaning().is_some_and(|it| !it.is_empty()), "{name}");
        objects.push(description.object);
    }
    objects.sort();
    objects.dedup();
    assert_eq!(objects.len(), FILES.len());
    assert_eq!(Catalogue::built_in().descriptions().len(), FILES.len());
}

#[test]
fn nodes_of_usual_places_are_described() {
    let catalogue = Catalogue::built_in();
    for (at, format) in [
        ("./DevInfo/Man", Format::Chr),
        ("./DevDetail/LrgObj", Format::Bool),
        ("./DevDetail/URI/MaxDepth", Format::Chr),
        ("./FUMO/Package/State", Format::Int),
        ("./FUMO/State", Format::Int),
        ("./FUMO/Package/Update/PkgData", Format::Bin),
        ("./LAWMO/LAWMOConfig/NotifyUser", Format::Bool),
        ("./SyncML/DMAcc/ab12/ServerID", Format::Chr),
        ("./Inbox", Format::Node),
    ] {
        let node = catalogue.describe(None, &uri(at)).unwrap_or_else(|| panic!("{at}"));
        assert_eq!(node.format(), Some(format), "{at}");
        assert!(node.is_verified() && node.meaning().is_some(), "{at}");
    }
    for at in [".", "./Vendor/Example/Name", "./DevInfo/Man/x", "./devinfo/Man"] {
        assert!(catalogue.describe(None, &uri(at)).is_none(), "{at}");
    }
}

#[test]
fn an_object_is_found_by_its_type_wherever_it_is() {
    let mut tree = tree();
    tree.install("./Odd/Place", Node::object(Some("urn:oma:mo:oma-fumo:1.0"))).unwrap();
    let state = uri("./Odd/Place/State");

    assert!(Catalogue::built_in().describe(None, &state).is_none());
    let node = Catalogue::built_in().describe(Some(&tree), &state).unwrap();
    assert_eq!((node.format(), node.occurrence), (Some(Format::Int), Occurrence::One));
}

#[test]
fn an_unknown_version_is_read_as_the_highest_one_known() {
    let catalogue = Catalogue::built_in();
    let object = |id: &str| catalogue.object(id).map(|it| it.object.as_str());

    assert_eq!(object("urn:oma:mo:oma-scomo:1.0"), Some("urn:oma:mo:oma-scomo:1.0"));
    assert_eq!(object("urn:oma:mo:oma-scomo:9.9"), Some("urn:oma:mo:oma-scomo:1.1"));
    assert_eq!(object("urn:oma:mo:oma-dm-dmacc:1.1"), Some("urn:oma:mo:oma-dm-dmacc:1.0"));
    assert_eq!(object("urn:oma:mo:oma-nothing:1.0"), None);
    assert_eq!(catalogue.usual_parent("org.openmobilealliance/1.0/w7"), Some(uri("./DMAcc")));
    assert_eq!(catalogue.usual_parent("urn:oma:mo:oma-lawmo:1.0"), Some(uri(".")));
    assert_eq!(catalogue.usual_parent("urn:oma:mo:oma-fumo:1.0"), Some(uri("./FUMO")));
}

#[test]
fn elements_of_vendors_are_passed_over() {
    let text = r#"<!DOCTYPE MgmtTree PUBLIC "-//OMA//DTD-DM-DDF 1.2//EN" "http://example.org/a.dtd">
        <MgmtTree xmlns:MSFT="http://schemas.microsoft.com/MobileDevice/DM"><VerDTD>1.2</VerDTD><MSFT:Diagnostics/>
        <Node><NodeName>*</NodeName><Path>./Vendor/MSFT</Path><DFProperties><AccessType><Get/><Exec/></AccessType>
        <DFFormat><chr/><bin/></DFFormat><Occurrence><ZeroOrN>4</ZeroOrN></Occurrence><Scope><Dynamic/></Scope>
        <DFType><MIME>text/plain</MIME><MIME>text/html</MIME></DFType><CaseSense><CIS/></CaseSense>
        <MSFT:AllowedValues ValueType="ENUM"><MSFT:Enum><MSFT:Value>1</MSFT:Value></MSFT:Enum></MSFT:AllowedValues>
        </DFProperties></Node></MgmtTree>"#;

    let read = Description::read(text.as_bytes(), &DOCUMENT).unwrap();

    let root = read.root;
    assert_eq!((read.path.as_str(), root.name.as_deref(), root.format()), ("./Vendor/MSFT", None, None));
    assert_eq!((root.formats.as_slice(), root.mime.len()), (&[Format::Chr, Format::Bin][..], 2));
    assert_eq!((root.occurrence, root.is_permanent, root.is_case_sensitive), (Occurrence::ZeroOrN(4), false, false));
    assert_eq!(root.access, Access::GET.and(Access::EXEC));
}

#[test]
fn what_is_no_description_is_refused() {
    for text in [
        "<MgmtTree/>",
        "<Node/>",
        "<MgmtTree><Node/></MgmtTree>",
        "<MgmtTree><Node><NodeName>a</NodeName></Node></MgmtTree>",
        "<MgmtTree><Node><NodeName>a</NodeName><DFProperties/></Node></MgmtTree>",
        "<MgmtTree><Node><NodeName>a</NodeName><DFProperties><DFFormat><chr/></DFFormat><Occurrence><ZeroOrN>x</ZeroOrN></Occurrence></DFProperties></Node></MgmtTree>",
        "",
    ] {
        assert!(Description::read(text.as_bytes(), &DOCUMENT).is_err(), "{text}");
    }
}
