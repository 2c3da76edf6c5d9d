//! `targets`

use serde_json::Value;

use super::{print, print_json, table, text};
use crate::cli::Targets;
use crate::client::Client;

/// Lists targets, or the operations of one.
pub(crate) async fn run(command: &Targets, json: bool) -> anyhow::Result<()> {
    let (connection, path, member) = match command {
        Targets::List { connection } => (connection, "/v1/targets".to_owned(), "targets"),
        Targets::Operations { target, connection } => {
            (connection, format!("/v1/targets/{target}/operations"), "tools")
        }
    };
    let answer = Client::new(connection)?.get(&path, &[]).await?;
    if json {
        print_json(&answer);
        return Ok(());
    }
    let rows = answer.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
    if rows.is_empty() {
        print("Nothing that you may call.");
    } else if member == "targets" {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| vec![text(row, "name"), text(row, "protocol"), text(row, "operations")])
            .collect();
        print(&table(&["target", "protocol", "operations"], &rows));
    } else {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| vec![text(row, "name"), parameters(row), text(row, "description")])
            .collect();
        print(&table(&["operation", "arguments", "description"], &rows));
    }
    Ok(())
}

fn parameters(tool: &Value) -> String {
    let required =
        tool.pointer("/inputSchema/required").and_then(Value::as_array).cloned().unwrap_or_default();
    let known = tool.pointer("/inputSchema/properties").and_then(Value::as_object);
    let names = known.into_iter().flatten().map(|(name, _)| {
        let optional = !required.iter().any(|required| required == name);
        if optional { format!("{name}?") } else { name.clone() }
    });
    names.collect::<Vec<_>>().join(", ")
}
