use crate::limits::Limits;
use crate::syncml::DecodeError;

/// The canonical XML text of a stand-alone DM DDF document in WBXML: what `Data` of type
/// `application/vnd.syncml.dmtnds+wbxml` carries. The same form as mark-up inside `Data` has after decoding.
///
/// # Errors
/// [`DecodeError`]: not WBXML, above a limit, or a root that is not of code page 2.
///
/// Source: OMA DM Tree and Description Serialization 1.2, "WBXML".
pub fn ddf_to_xml(octets: &[u8], limits: &Limits) -> Result<String, DecodeError> {
    crate::syncml::ddf_document(octets, limits)
}

/// A stand-alone DM DDF document in WBXML, of the XML text of one: the reverse of [`ddf_to_xml`], in the form libwbxml
/// writes. Elements that the code page does not have are passed over, and so are attributes.
///
/// # Errors
/// [`DecodeError`]: not XML, above a limit, or a root other than `MgmtTree`.
///
/// Source: OMA DM Tree and Description Serialization 1.2, "WBXML".
pub fn ddf_from_xml(text: &str, limits: &Limits) -> Result<Vec<u8>, DecodeError> {
    crate::syncml::ddf_octets(text, limits)
}
