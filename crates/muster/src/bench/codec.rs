//! Decoding and encoding SyncML, against the library most others use: libwbxml's tree for WBXML, libxml2's DOM for
//! XML. The peer is called from a small C program that is compiled when the benchmark starts.

mod documents;
mod peer;

use std::hint::black_box;
use std::time::Instant;

use anyhow::Context as _;
use muster_protocol::limits::Limits;
use muster_protocol::syncml::{Encoding, Message};
use serde::Serialize;

use documents::Document;

/// Length of one round of one measurement; the best of the rounds counts, since other work only ever adds time.
const ROUND_MS: u32 = 12;
const ROUNDS: u32 = 7;

/// What was measured. Ratios are peer time over our time: above 1 we are faster.
#[derive(Debug, Serialize)]
pub(crate) struct CodecFigures {
    /// `wbxml` or `xml`.
    pub(crate) encoding: &'static str,
    /// The lower one of the vectors together and the large message. Null without a peer.
    pub(crate) ratio_decode: Option<f64>,
    /// As `ratio_decode`.
    pub(crate) ratio_encode: Option<f64>,
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
    /// The golden messages, then the large one.
    documents: Vec<DocumentFigures>,
}

/// One document.
#[derive(Debug, Serialize)]
pub(crate) struct DocumentFigures {
    /// Name of the golden message, or `large`.
    name: String,
    /// Its length.
    octets: usize,
    /// Octets to message.
    decode_ns: f64,
    /// Message to octets.
    encode_ns: f64,
    /// Octets to tree.
    peer_decode_ns: Option<f64>,
    /// Tree to octets.
    peer_encode_ns: Option<f64>,
    /// Peer over ours.
    ratio_decode: Option<f64>,
    /// Peer over ours.
    ratio_encode: Option<f64>,
}

/// WBXML against libwbxml.
pub(crate) fn wbxml() -> anyhow::Result<CodecFigures> {
    run(Encoding::Wbxml)
}

/// XML against libxml2.
pub(crate) fn xml() -> anyhow::Result<CodecFigures> {
    run(Encoding::Xml)
}

/// Measures all documents in one encoding, below 20 seconds.
pub(crate) fn run(encoding: Encoding) -> anyhow::Result<CodecFigures> {
    let documents = documents::all(encoding)?;
    let (peer_figures, peer_missing) = match peer::measure(encoding, &documents, ROUND_MS, ROUNDS) {
        Ok(figures) => (Some(figures), None),
        Err(reason) => (None, Some(format!("{reason:#}"))),
    };
    let mut figures = Vec::with_capacity(documents.len());
    for (number, document) in documents.iter().enumerate() {
        let (decode_ns, encode_ns) = measure(encoding, document)?;
        let peer = peer_figures.as_ref().and_then(|(_, figures)| figures.get(number));
        figures.push(DocumentFigures {
            name: document.name.to_owned(),
            octets: document.octets.len(),
            decode_ns,
            encode_ns,
            peer_decode_ns: peer.map(|it| it.decode_ns),
            peer_encode_ns: peer.map(|it| it.encode_ns),
            ratio_decode: peer.map(|it| it.decode_ns / decode_ns),
            ratio_encode: peer.map(|it| it.encode_ns / encode_ns),
        });
    }
    let rate = |ns: fn(&DocumentFigures) -> Option<f64>| {
        let spent_ns = figures.iter().map(ns).sum::<Option<f64>>()?;
        let octets: usize = figures.iter().map(|it| it.octets).sum();
        Some(octets as f64 * 1_000.0 / spent_ns)
    };
    Ok(CodecFigures {
        encoding: match encoding {
            Encoding::Wbxml => "wbxml",
            Encoding::Xml => "xml",
        },
        ratio_decode: lower_ratio(&figures, |it| (it.peer_decode_ns, it.decode_ns)),
        ratio_encode: lower_ratio(&figures, |it| (it.peer_encode_ns, it.encode_ns)),
        decode_mb_per_s: rate(|it| Some(it.decode_ns)).unwrap_or_default(),
        encode_mb_per_s: rate(|it| Some(it.encode_ns)).unwrap_or_default(),
        peer_decode_mb_per_s: rate(|it| it.peer_decode_ns),
        peer_encode_mb_per_s: rate(|it| it.peer_encode_ns),
        peer: match peer_figures {
            Some((name, _)) => name,
            None => peer::name(encoding).to_owned(),
        },
        peer_missing,
        documents: figures,
    })
}

/// Peer over ours, for the golden messages together and for the large message; the lower one.
fn lower_ratio(figures: &[DocumentFigures], ns: fn(&DocumentFigures) -> (Option<f64>, f64)) -> Option<f64> {
    let (large, golden) = figures.split_last()?;
    let peer = golden.iter().map(|it| ns(it).0).sum::<Option<f64>>()?;
    let ours = golden.iter().map(|it| ns(it).1).sum::<f64>();
    let (peer_large, ours_large) = ns(large);
    Some((peer / ours).min(peer_large? / ours_large))
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
