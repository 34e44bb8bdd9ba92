//! What the server counts, in the text format of Prometheus.
//!
//! Source: Prometheus documentation, "Exposition formats", text-based format 0.0.4.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use muster_northbound::delivery::Deliverer;
use muster_southbound::dm1::{Exchange, Family};

use super::listen::Traffic;
use super::process::Process;
use super::tls::{self, Certificate};
use super::{Health, deliveries};

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Who counts.
#[derive(Clone)]
pub(super) struct Counted {
    pub(super) health: Health,
    pub(super) process: Arc<Process>,
    pub(super) north: Arc<Traffic>,
    pub(super) south: Arc<Traffic>,
    pub(super) exchange: Arc<Exchange>,
    pub(super) deliverer: Arc<Deliverer>,
    pub(super) certificates: Vec<Arc<Certificate>>,
}

/// `/metrics`.
pub(super) fn router(counted: Counted) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(counted)
}

async fn metrics(State(counted): State<Counted>) -> Response {
    let Counted { health, process, north, south, exchange, deliverer, certificates } = counted;
    let mut families = vec![
        Family {
            name: "muster_info",
            help: "The version that runs.",
            label: "version",
            values: vec![(env!("CARGO_PKG_VERSION"), 1)],
        },
        Family {
            name: "muster_ready",
            help: "1 where /readyz says that the server is ready, 0 where it does not.",
            label: "",
            values: vec![("", u64::from(health.unready().await.is_none()))],
        },
    ];
    families.extend(process.families());
    families.extend(connections(&north, &south));
    families.extend(exchange.counters().families());
    let store = muster_store::counted();
    families.push(Family {
        name: "muster_store_total",
        help: "Reads of a few rows, reads of lists, writes, and the transactions that writes shared.",
        label: "what",
        values: vec![("read", store.reads), ("list", store.lists), ("write", store.writes), ("commit", store.commits)],
    });
    families.extend(deliveries::families(&deliverer));
    families.extend(tls::families(&certificates));
    (
        [(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))],
        text(&families),
    )
        .into_response()
}

/// What both listeners that face others let in, and what the WSI answers; the device endpoint counts its own answers.
fn connections(north: &Traffic, south: &Traffic) -> [Family; 4] {
    let family = |name, help, of: fn(&Traffic) -> u64| Family {
        name,
        help,
        label: "listener",
        values: vec![("north", of(north)), ("south", of(south))],
    };
    [
        family("muster_connections", "Connections that are open.", Traffic::open),
        family("muster_connections_max", "Connections that may be open at once.", Traffic::open_max),
        family(
            "muster_connections_refused_total",
            "Connections that were closed at once because too many were open, of all or of one address.",
            Traffic::refused,
        ),
        Family {
            name: "muster_wsi_answers_total",
            help: "Answers of the north listener by the class of their HTTP status; a fault of SOAP 1.1 is 5xx, whoever \
                   caused it.",
            label: "class",
            values: north.answers(),
        },
    ]
}

/// Names that end in `_total` are counters, others gauges.
fn text(families: &[Family]) -> String {
    let mut out = String::new();
    for Family { name, help, label, values } in families {
        let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing into a text does not fail.
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (value, count) in values {
            if label.is_empty() {
                let _ = writeln!(out, "{name} {count}");
                continue;
            }
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = writeln!(out, "{name}{{{label}=\"{value}\"}} {count}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_is_told_with_its_meaning_and_every_value_of_its_label() {
        let families = [
            Family { name: "a_total", help: "Of \\ and\nmore.", label: "kind", values: vec![("x", 0), ("q\"\\\n", 7)] },
            Family { name: "b_info", help: "One.", label: "version", values: vec![("1.0", 1)] },
            Family { name: "c_bytes", help: "Alone.", label: "", values: vec![("", 5)] },
        ];
        let wanted = "# HELP a_total Of \\\\ and\\nmore.\n# TYPE a_total counter\na_total{kind=\"x\"} 0\n\
                      a_total{kind=\"q\\\"\\\\\\n\"} 7\n# HELP b_info One.\n# TYPE b_info gauge\nb_info{version=\"1.0\"} 1\n\
                      # HELP c_bytes Alone.\n# TYPE c_bytes gauge\nc_bytes 5\n";
        assert_eq!(text(&families), wanted);
    }
}
