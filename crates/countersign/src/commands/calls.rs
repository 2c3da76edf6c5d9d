//! `calls`

use serde_json::Value;

use super::{print, print_json, safe, table, text};
use crate::cli::Calls;
use crate::client::Client;

/// Lists calls, or shows one.
pub(crate) async fn run(command: &Calls, json: bool) -> anyhow::Result<()> {
    match command {
        Calls::List { target, principal, refused, limit, connection } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(target.clone().map(|target| ("target", target)));
            query.extend(principal.clone().map(|principal| ("principal", principal)));
            query.extend(refused.then(|| ("refused", "true".to_owned())));
            list(&Client::new(connection)?.get("/v1/calls", &query).await?, json);
        }
        Calls::Show { id, connection } => {
            show(&Client::new(connection)?.get(&format!("/v1/calls/{id}"), &[]).await?, json);
        }
    }
    Ok(())
}

fn list(answer: &Value, json: bool) {
    if json {
        print_json(answer);
        return;
    }
    let calls = answer.get("calls").and_then(Value::as_array).cloned().unwrap_or_default();
    if calls.is_empty() {
        print("No calls.");
        return;
    }
    let row = |call: &Value| {
        vec![
            text(call, "time"),
            text(call, "call"),
            text(call, "principal"),
            text(call, "target"),
            outcome(call.get("outcome")),
            took(call),
            text(call, "sentence"),
        ]
    };
    let rows: Vec<_> = calls.iter().map(row).collect();
    print(&table(&["time", "call", "principal", "target", "outcome", "took", "what"], &rows));
}

fn show(answer: &Value, json: bool) {
    if json {
        print_json(answer);
        return;
    }
    print(&format!("call {}", text(answer, "call")));
    for event in answer.get("events").and_then(Value::as_array).into_iter().flatten() {
        print(&format!("  {}  #{:<6} {}", text(event, "time"), text(event, "position"), told(event)));
    }
    let record =
        serde_json::to_string_pretty(answer.get("record").unwrap_or(&Value::Null)).unwrap_or_default();
    print("record (masked)");
    print(&record.lines().map(|line| format!("  {}", safe(line))).collect::<Vec<_>>().join("\n"));
}

/// An event in one line: its name, then what it adds.
fn told(event: &Value) -> String {
    let name = text(event, "event");
    let rest = match name.as_str() {
        "begun" => format!(
            "{} asks {} for {}",
            text(event, "principal"),
            text(event, "target"),
            text(event, "sentence")
        ),
        "finished" => format!("{} after {}", outcome(Some(event)), took(event)),
        "refused" => format!("{}: {}", text(event, "kind"), text(event, "detail")),
        "asked" => format!("approval {}", text(event, "approval")),
        "signed" | "rejected" => format!("by {} {}", text(event, "by"), text(event, "reason")),
        _ => String::new(),
    };
    format!("{name:<9} {rest}").trim_end().to_owned()
}

fn outcome(outcome: Option<&Value>) -> String {
    let Some(outcome) = outcome.filter(|outcome| !outcome.is_null()) else { return "under way".to_owned() };
    let nested = outcome.get("outcome").filter(|nested| nested.is_object()).unwrap_or(outcome);
    let detail = ["status", "refusal"].map(|name| text(nested, name)).concat();
    format!("{} {detail}", text(nested, "outcome")).trim_end().to_owned()
}

fn took(call: &Value) -> String {
    match call.get("micros").and_then(Value::as_u64) {
        None => String::new(),
        Some(micros) if micros < 10_000 => format!("{:.1} ms", micros as f64 / 1_000.0),
        Some(micros) => format!("{} ms", micros / 1_000),
    }
}
