//! Decoding and encoding SyncML, against the library most others use: libwbxml for WBXML, libxml2 for XML. The peer is
//! called from a small C program that is compiled when the benchmark starts.
//!
//! Decoding is octets to typed commands for us and octets to its tree for the peer; encoding is typed commands to octets
//! for us and tree to octets for the peer. Converting is what programs that write WBXML with libwbxml do, since it takes
//! nothing else: XML to WBXML; our encoding stands against it too.

mod documents;
mod peer;

use std::hint::black_box;
use std::time::Instant;

use anyhow::Context as _;
use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Encoding, Message};
use serde::Serialize;

use documents::Document;

/// Length of one round of one measurement; the best of the rounds counts, since other work only ever adds time. Many
/// short rounds, so that some are not interrupted on a busy machine.
const ROUND_MS: u32 = 3;
const ROUNDS: u32 = 40;

/// What was measured. Ratios are peer time over our time: above 1 we are faster.
#[derive(Debug, Serialize)]
pub(crate) struct CodecFigures {
    /// `wbxml` or `xml`.
    pub(crate) encoding: &'static str,
    /// The lowest one of the rows. Null without a peer.
    pub(crate) ratio_decode: Option<f64>,
    /// As `ratio_decode`.
    pub(crate) ratio_encode: Option<f64>,
    /// As `ratio_decode`, our encoding against the peer's conversion from XML. Null for XML.
    pub(crate) ratio_convert: Option<f64>,
    /// What the ratios should be at least.
    pub(crate) goals: Goals,
    /// Our decoding over all documents.
    pub(crate) decode_mb_per_s: f64,
    /// Our encoding over all documents.
    pub(crate) encode_mb_per_s: f64,
    /// The peer's decoding over all documents.
    pub(crate) peer_decode_mb_per_s: Option<f64>,
    /// The peer's encoding over all documents.
    pub(crate) peer_encode_mb_per_s: Option<f64>,
    /// Library and version.
    pub(crate) peer: String,
    /// Why there are no figures of the peer.
    pub(crate) peer_missing: Option<String>,
    /// The golden messages together, then one message of each size.
    pub(crate) rows: Vec<DocumentFigures>,
    /// The golden messages, each for itself.
    golden: Vec<DocumentFigures>,
}

/// Ratios that are wanted.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Goals {
    /// Octets to commands.
    pub(crate) decode: f64,
    /// Commands to octets, against the peer's tree. Null where there is no goal.
    pub(crate) encode: Option<f64>,
    /// Commands to octets, against the peer's conversion. Null where there is none.
    pub(crate) convert: Option<f64>,
}

/// One document, or several together.
#[derive(Debug, Serialize)]
pub(crate) struct DocumentFigures {
    /// Name of the golden message, `golden`, or a size.
    pub(crate) name: String,
    /// Its length.
    pub(crate) octets: usize,
    /// Octets to message.
    pub(crate) decode_ns: f64,
    /// Message to octets.
    pub(crate) encode_ns: f64,
    /// Octets to tree.
    peer_decode_ns: Option<f64>,
    /// Tree to octets.
    peer_encode_ns: Option<f64>,
    /// XML to WBXML.
    peer_convert_ns: Option<f64>,
    /// Peer over ours.
    pub(crate) ratio_decode: Option<f64>,
    /// Peer over ours.
    pub(crate) ratio_encode: Option<f64>,
    /// Peer's conversion over our encoding.
    pub(crate) ratio_convert: Option<f64>,
}

impl DocumentFigures {
    fn new(name: &str, octets: usize, (decode_ns, encode_ns): (f64, f64), peer: Option<peer::PeerFigures>) -> Self {
        let convert_ns = peer.and_then(|it| it.convert_ns);
        Self {
            name: name.to_owned(),
            octets,
            decode_ns,
            encode_ns,
            peer_decode_ns: peer.map(|it| it.decode_ns),
            peer_encode_ns: peer.map(|it| it.encode_ns),
            peer_convert_ns: convert_ns,
            ratio_decode: peer.map(|it| it.decode_ns / decode_ns),
            ratio_encode: peer.map(|it| it.encode_ns / encode_ns),
            ratio_convert: convert_ns.map(|it| it / encode_ns),
        }
    }

    /// Several documents as one.
    fn together(name: &str, parts: &[Self]) -> Self {
        let sum = |of: fn(&Self) -> Option<f64>| parts.iter().map(of).sum::<Option<f64>>();
        let peer = sum(|it| it.peer_decode_ns).zip(sum(|it| it.peer_encode_ns)).map(|(decode_ns, encode_ns)| {
            peer::PeerFigures { decode_ns, encode_ns, convert_ns: sum(|it| it.peer_convert_ns) }
        });
        let ours = (parts.iter().map(|it| it.decode_ns).sum(), parts.iter().map(|it| it.encode_ns).sum());
        Self::new(name, parts.iter().map(|it| it.octets).sum(), ours, peer)
    }
}

/// WBXML against libwbxml.
pub(crate) fn wbxml() -> anyhow::Result<CodecFigures> {
    run(Encoding::Wbxml)
}

/// XML against libxml2.
pub(crate) fn xml() -> anyhow::Result<CodecFigures> {
    run(Encoding::Xml)
}

/// Measures all documents in one encoding, below 30 seconds.
pub(crate) fn run(encoding: Encoding) -> anyhow::Result<CodecFigures> {
    let documents = documents::all(encoding)?;
    let (peer_figures, peer_missing) = match peer::measure(encoding, &documents, ROUND_MS, ROUNDS) {
        Ok(figures) => (Some(figures), None),
        Err(reason) => (None, Some(format!("{reason:#}"))),
    };
    let mut golden = Vec::with_capacity(documents.len());
    for (number, document) in documents.iter().enumerate() {
        let peer = peer_figures.as_ref().and_then(|(_, figures)| figures.get(number)).copied();
        golden.push(DocumentFigures::new(document.name, document.octets.len(), measure(encoding, document)?, peer));
    }
    let sized = golden.split_off(golden.len().saturating_sub(documents::SIZES.len()));
    let mut rows = vec![DocumentFigures::together("golden", &golden)];
    rows.extend(sized);
    let all = DocumentFigures::together("all", &rows);
    let mb_per_s = |ns: f64| all.octets as f64 * 1_000.0 / ns;
    let lowest = |ratio: fn(&DocumentFigures) -> Option<f64>| {
        rows.iter().map(ratio).try_fold(f64::INFINITY, |low, ratio| Some(low.min(ratio?)))
    };
    let (name, goals) = match encoding {
        Encoding::Wbxml => ("wbxml", Goals { decode: 10.0, encode: None, convert: Some(30.0) }),
        Encoding::Xml => ("xml", Goals { decode: 2.0, encode: Some(5.0), convert: None }),
    };
    Ok(CodecFigures {
        encoding: name,
        ratio_decode: lowest(|it| it.ratio_decode),
        ratio_encode: lowest(|it| it.ratio_encode),
        ratio_convert: lowest(|it| it.ratio_convert),
        goals,
        decode_mb_per_s: mb_per_s(all.decode_ns),
        encode_mb_per_s: mb_per_s(all.encode_ns),
        peer_decode_mb_per_s: all.peer_decode_ns.map(mb_per_s),
        peer_encode_mb_per_s: all.peer_encode_ns.map(mb_per_s),
        peer: match peer_figures {
            Some((name, _)) => name,
            None => peer::name(encoding).to_owned(),
        },
        peer_missing,
        rows,
        golden,
    })
}

/// Nanoseconds of decoding and of encoding, freeing of the result counted, as for the peer.
fn measure(encoding: Encoding, document: &Document) -> anyhow::Result<(f64, f64)> {
    let message = Message::decode(encoding, &document.octets, &Limits::DEVICE).context(document.name)?;
    message.encode(encoding).context(document.name)?;
    let decode = best(|| Message::decode(encoding, black_box(&document.octets), &Limits::DEVICE).is_ok());
    let encode = best(|| black_box(&message).encode(encoding).is_ok());
    Ok((decode, encode))
}

/// The best round, in nanoseconds each time.
fn best(mut work: impl FnMut() -> bool) -> f64 {
    let mut round = |times: u32| {
        let start = Instant::now();
        for _ in 0..times {
            black_box(work());
        }
        start.elapsed().as_secs_f64() * 1e9
    };
    let round_ns = f64::from(ROUND_MS) * 1e6;
    let mut times = 1;
    while round(times) < round_ns / 2.0 {
        times *= 2;
    }
    (0..ROUNDS).map(|_| round(times) / f64::from(times)).fold(f64::INFINITY, f64::min)
}
