//! A second start on the same folder.

use anyhow::Context as _;
use serde_json::json;

use super::payment::effects;
use super::scene::Scene;
use super::told::{Seen, expect};
use super::{journal, reading};

/// Tokens, approvals, calls and the sealed secret are there as before, and the journal continues.
pub(super) async fn carries_on(scene: &mut Scene) -> Seen {
    let told = scene.start_again("second").await?;
    expect(told.gateway == scene.told()?.gateway, "the same address", || told.gateway.clone())?;

    let read = scene.function()?.call("customers.read", &json!({ "id": 2 }), 0).await?;
    read.is(200, None).context("a token of the first start")?;
    let approver = scene.approver()?;
    let used = approver.get(&format!("/v1/approvals/{}", scene.approval)).await?;
    expect(used.text("/state") == "used", "the approval that was used", || used.to_string())?;
    let path = format!("/v1/approvals/{}", scene.second_approval);
    let waits = approver.get(&path).await?;
    expect(waits.text("/state") == "pending", "the approval that waited", || waits.to_string())?;
    let rejected = approver.post(&format!("{path}/reject"), &json!({ "reason": "paid already" })).await?;
    expect(rejected.text("/state") == "rejected", "that it can be rejected", || rejected.to_string())?;
    reading::recorded(scene).await?;
    expect(effects(scene, "refund")? == 1, "still one effect", || format!("{:?}", effects(scene, "refund")))?;

    scene.end().await?;
    journal::continues(scene).await?;
    Ok("tokens, approvals, calls, secret; the journal continues".to_owned())
}
