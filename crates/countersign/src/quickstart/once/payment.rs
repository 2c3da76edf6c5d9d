//! A payment, from the asking to the second signature and the one effect.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::time::{Instant, interval};

use super::client::Client;
use super::scene::Scene;
use super::told::{Seen, expect};

/// How long the payment's caller waits for the signature, in seconds.
const WAIT: u32 = 60;

/// How long the request for a signature may take to be seen.
const DEADLINE: Duration = Duration::from_secs(20);

/// The function orders a payment; the call is held.
pub(super) async fn waits(scene: &mut Scene) -> Seen {
    let (function, arguments) = (scene.function()?.clone(), order(scene, "refund"));
    scene.held = Some(tokio::spawn(async move { function.call("payments.create", &arguments, WAIT).await }));
    let asked = pending(scene.approver()?, &reason(scene, "refund")).await?;
    scene.approval = text(&asked, "id");
    expect(effects(scene, "refund")? == 0, "no effect yet", || {
        "a payment that nobody signed for".to_owned()
    })?;
    Ok(format!("for {}; no effect yet", list(&asked, "awaits")))
}

/// Neither the function, who may not sign, nor an approver for a call of their own.
pub(super) async fn not_by_oneself(scene: &Scene) -> Seen {
    let approve = |id: &str| format!("/v1/approvals/{id}/approve");
    let by_function = scene.function()?.post(&approve(&scene.approval), &json!({})).await?;
    by_function.is(403, Some("denied"))?;

    let ada = scene.approver()?;
    let asked = ada.call("payments.create", &order(scene, "bonus"), 0).await?;
    asked.is(403, Some("approval_required"))?;
    let id = asked.text("/approval/id");
    let signed = ada.post(&approve(&id), &json!({ "reason": "I deserve it" })).await?;
    signed.is(403, Some("denied"))?;
    let shown = ada.get(&format!("/v1/approvals/{id}")).await?;
    expect(shown.text("/state") == "pending", "that it still waits", || shown.to_string())?;
    expect(effects(scene, "bonus")? == 0, "no effect", || {
        "a payment signed for by who ordered it".to_owned()
    })?;
    Ok("403 for who ordered it, and for the function".to_owned())
}

/// An approver signs for the function's payment.
pub(super) async fn signed(scene: &mut Scene) -> Seen {
    let path = format!("/v1/approvals/{}/approve", scene.approval);
    let signed = scene.approver()?.post(&path, &json!({ "reason": "the invoice was checked" })).await?;
    signed.is(200, None)?;
    let held = scene.held.take().context("no payment waits")?;
    let paid = held.await.context("the payment's call was lost")??;
    paid.is(201, None)?;
    expect(effects(scene, "refund")? == 1, "one effect", || format!("{:?}", effects(scene, "refund")))?;
    let shown = scene.approver()?.get(&format!("/v1/approvals/{}", scene.approval)).await?;
    let used = shown.text("/state") == "used" && shown.text("/used_by") == paid.call();
    expect(used, "the approval used by that call", || shown.to_string())?;
    Ok(format!("by dev/ada; the demo API counts 1 effect, {}", paid.text("/id")))
}

/// A signature is used once.
pub(super) async fn asks_anew(scene: &mut Scene) -> Seen {
    let again = scene.function()?.call("payments.create", &order(scene, "refund"), 0).await?;
    again.is(403, Some("approval_required"))?;
    scene.second_approval = again.text("/approval/id");
    let new = !scene.second_approval.is_empty() && scene.second_approval != scene.approval;
    expect(new, "another approval", || again.to_string())?;
    expect(effects(scene, "refund")? == 1, "still one effect", || format!("{:?}", effects(scene, "refund")))?;
    Ok("403, with another approval; still 1 effect".to_owned())
}

/// How often this run's payment reached the target, by the target's own count.
pub(super) fn effects(scene: &Scene, what: &str) -> anyhow::Result<usize> {
    let reason = json!(reason(scene, what));
    let lines = scene.demo_lines("effects.jsonl")?;
    Ok(lines.iter().filter(|line| line.get("reason") == Some(&reason)).count())
}

fn order(scene: &Scene, what: &str) -> Value {
    json!({ "customer": 1, "amount": 4200, "reason": reason(scene, what) })
}

fn reason(scene: &Scene, what: &str) -> String {
    format!("{what} {}", scene.run)
}

/// The pending approval of the payment with this reason, as soon as there is one.
async fn pending(approver: &Client, reason: &str) -> anyhow::Result<Value> {
    let until = Instant::now() + DEADLINE;
    let mut tick = interval(Duration::from_millis(50));
    loop {
        tick.tick().await;
        let listed = approver.get("/v1/approvals?state=pending").await?;
        listed.is(200, None)?;
        let all = listed.json();
        let all = all.get("approvals").and_then(Value::as_array);
        if let Some(found) =
            all.into_iter().flatten().find(|approval| text(approval, "sentence").contains(reason))
        {
            return Ok(found.clone());
        }
        expect(Instant::now() < until, "a pending approval of the payment", || listed.to_string())?;
    }
}

fn text(value: &Value, member: &str) -> String {
    value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn list(value: &Value, member: &str) -> String {
    let items = value.get(member).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}
