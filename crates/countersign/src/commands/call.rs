//! `call`

use std::io::{Read as _, Write as _};

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use super::say;
use crate::cli::Call;
use crate::client::{Client, succeeded};

/// Calls a named operation and prints the target's answer as it streams. Exit status 1 when the target answered an error.
pub(crate) async fn run(call: &Call) -> anyhow::Result<u8> {
    let arguments = arguments(call)?;
    let client = Client::new(&call.connection)?;
    let path = format!("/v1/targets/{}/calls", call.target);
    let body = json!({ "operation": call.operation, "arguments": arguments });
    let mut response = client.post(&path, &body, Some(call.wait)).await?;
    let status = response.status();
    let mut out = std::io::stdout().lock();
    let mut last = b'\n';
    while let Some(chunk) =
        response.chunk().await.context("the answer was cut: it could not be shown whole")?
    {
        last = chunk.last().copied().unwrap_or(last);
        out.write_all(&chunk).context("standard output cannot be written")?;
    }
    if last != b'\n' {
        let _ = out.write_all(b"\n");
    }
    if succeeded(status) {
        return Ok(0);
    }
    say(&format!("the target answered {status}"));
    Ok(1)
}

fn arguments(call: &Call) -> anyhow::Result<Value> {
    if let Some(text) = &call.arguments {
        let mut piped = String::new();
        let text = if text == "-" {
            std::io::stdin().lock().read_to_string(&mut piped).context("standard input cannot be read")?;
            &piped
        } else {
            text
        };
        return serde_json::from_str(text).context("--arguments is no JSON");
    }
    let mut arguments = Map::new();
    let parsed = call.args.iter().map(|arg| (arg, true));
    for (arg, parse) in parsed.chain(call.text_args.iter().map(|arg| (arg, false))) {
        let (name, value) = arg.split_once('=').with_context(|| format!("`{arg}` is not NAME=VALUE"))?;
        let plain = || Value::String(value.to_owned());
        let value = if parse { serde_json::from_str(value).unwrap_or_else(|_| plain()) } else { plain() };
        anyhow::ensure!(arguments.insert(name.to_owned(), value).is_none(), "`{name}` is given twice");
    }
    Ok(Value::Object(arguments))
}
