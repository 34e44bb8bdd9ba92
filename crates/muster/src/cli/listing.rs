//! Lists that come in pages, and the fields of their records.

use serde_json::{Value, json};

use crate::soap_client::{CallError, SoapClient};

/// Every entry of a list, page by page.
pub(super) async fn pages(
    client: &SoapClient,
    operation: &str,
    mut arguments: Value,
    entries: &str,
) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    loop {
        let answer = client.call(operation, arguments.clone()).await.map_err(CallError::told)?;
        all.extend(answer.get(entries).and_then(Value::as_array).cloned().unwrap_or_default());
        match (text(&answer, "nextPageToken"), arguments.as_object_mut()) {
            (token, Some(arguments)) if !token.is_empty() => {
                arguments.insert("page".to_owned(), json!({"pageToken": token}));
            }
            _ => return Ok(all),
        }
    }
}

/// A field as text; nothing where it is left out.
pub(super) fn text(record: &Value, name: &str) -> String {
    record.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A field as a number; 0 where it is left out.
pub(super) fn number(record: &Value, name: &str) -> i64 {
    record.get(name).and_then(Value::as_i64).unwrap_or_default()
}
