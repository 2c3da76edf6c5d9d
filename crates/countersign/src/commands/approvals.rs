//! `approvals`

use serde_json::{Value, json};

use super::{print, print_json, safe, table, text};
use crate::cli::{Approvals, Verdict};
use crate::client::Client;

/// Lists, shows, signs or rejects.
pub(crate) async fn run(command: &Approvals, json: bool) -> anyhow::Result<()> {
    match command {
        Approvals::List { state, connection } => {
            let query: Vec<_> = (state != "all").then(|| ("state", state.clone())).into_iter().collect();
            list(&Client::new(connection)?.get("/v1/approvals", &query).await?, state, json);
        }
        Approvals::Show { id, connection } => {
            show(&Client::new(connection)?.get(&format!("/v1/approvals/{id}"), &[]).await?, json);
        }
        Approvals::Approve(verdict) => say_so(verdict, "approve", json).await?,
        Approvals::Reject(verdict) => say_so(verdict, "reject", json).await?,
    }
    Ok(())
}

async fn say_so(verdict: &Verdict, word: &str, json: bool) -> anyhow::Result<()> {
    let client = Client::new(&verdict.connection)?;
    let body = json!({ "reason": verdict.reason });
    let answer = client.post(&format!("/v1/approvals/{}/{word}", verdict.id), &body, None).await?;
    let approval: Value = answer.json().await?;
    if json {
        print_json(&approval);
    } else {
        print(&format!("{}: {}", text(&approval, "state"), sentence(&approval)));
        let awaits = list_of(&approval, "awaits");
        if text(&approval, "state") == "pending" && !awaits.is_empty() {
            print(&format!("still awaits a signature of {awaits}"));
        }
    }
    Ok(())
}

fn list(answer: &Value, state: &str, json: bool) {
    if json {
        print_json(answer);
        return;
    }
    let approvals = answer.get("approvals").and_then(Value::as_array).cloned().unwrap_or_default();
    if approvals.is_empty() {
        print(&if state == "pending" {
            "Nothing waits for a signature.".to_owned()
        } else {
            "None.".to_owned()
        });
        return;
    }
    let row = |approval: &Value| {
        vec![text(approval, "id"), text(approval, "state"), text(approval, "expires"), sentence(approval)]
    };
    print(&table(
        &["approval", "state", "expires", "who asks what of where"],
        &approvals.iter().map(row).collect::<Vec<_>>(),
    ));
}

fn show(approval: &Value, json: bool) {
    if json {
        print_json(approval);
        return;
    }
    print(&sentence(approval));
    for (label, member) in [
        ("state", "state"),
        ("expires", "expires"),
        ("digest", "digest"),
        ("call", "call"),
        ("used by", "used_by"),
    ] {
        if !text(approval, member).is_empty() {
            print(&format!("  {label:<10} {}", text(approval, member)));
        }
    }
    print(&format!("  {:<10} {}", "awaits", list_of(approval, "awaits")));
    print(&format!("  {:<10} {}", "asked by", list_of(approval, "policies")));
    for signature in approval.get("signatures").and_then(Value::as_array).into_iter().flatten() {
        let reason = text(signature, "reason");
        let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        print(&format!(
            "  {:<10} {} for {}{because}",
            "signed",
            text(signature, "by"),
            text(signature, "group")
        ));
    }
    if let Some(detail) = approval.get("detail") {
        let shown = serde_json::to_string_pretty(detail).unwrap_or_default();
        print(&shown.lines().map(|line| format!("  {}", safe(line))).collect::<Vec<_>>().join("\n"));
    }
}

/// Who asks what of where.
fn sentence(approval: &Value) -> String {
    format!(
        "{} asks {} for {}",
        text(approval, "principal"),
        text(approval, "target"),
        text(approval, "sentence")
    )
}

fn list_of(value: &Value, member: &str) -> String {
    let items = value.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(safe).collect::<Vec<_>>().join(", ")
}
