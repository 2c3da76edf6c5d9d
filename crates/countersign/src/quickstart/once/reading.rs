//! Reads: masked, classified, echoed, denied, rated, recorded.

use serde_json::{Value, json};

use super::scene::Scene;
use super::told::{Seen, expect};

/// What the demo holds of customer 1 that nobody may see.
const PERSONAL: [&str; 8] =
    ["ada@", "ada.example@", "u0040", "4111111111111111", "219-09-9999", "GB82", "555-0147", "London"];

/// A customer is read by its named operation. The demo sends it a byte a chunk.
pub(super) async fn masked(scene: &mut Scene) -> Seen {
    let answer = scene.function()?.call("customers.read", &json!({ "id": 1 }), 0).await?;
    answer.is(200, None)?;
    let body = answer.json();
    let masked = [
        ("name", json!("Ada Example")),
        ("city", json!("[residence]")),
        ("email", json!("[email]")),
        ("phone", json!("[phone]")),
        ("ssn", json!("[ssn]")),
        ("iban", json!("[iban]")),
        ("card", Value::Null),
        ("notes", json!("Moved in spring; asked us to write to [email], and never to call.")),
    ];
    for (member, value) in masked {
        expect(body.get(member) == Some(&value), &format!("`{member}` as {value}"), || answer.to_string())?;
    }
    no_personal_data(&answer.body)?;
    scene.read_call = answer.call();
    expect(!scene.read_call.is_empty(), "the call's id in `countersign-call`", || {
        format!("{:?}", answer.headers)
    })?;
    Ok("e-mails, phone, SSN and IBAN; the card's number is null".to_owned())
}

/// The same customer, read by an approver, for whom policy lifts one class.
pub(super) async fn classified(scene: &Scene) -> Seen {
    let answer = scene.approver()?.call("customers.read", &json!({ "id": 1 }), 0).await?;
    answer.is(200, None)?;
    expect(answer.text("/city") == "London", "`city` as it is", || answer.to_string())?;
    expect(answer.text("/email") == "[email]", "`email` masked", || answer.to_string())?;
    Ok("[residence] for the function, London for an approver".to_owned())
}

/// The demo's own file says what arrived there.
pub(super) fn received(scene: &Scene) -> Seen {
    let requests = scene.demo_lines("requests.jsonl")?;
    let read = |line: &&Value| line.get("path").and_then(Value::as_str) == Some("/customers/1");
    let last = requests.iter().rfind(read).cloned().unwrap_or(Value::Null);
    let right =
        last.get("key") == Some(&json!(true)) && last.get("foreign_credential") == Some(&json!(false));
    expect(right, "a request for /customers/1 with the right key and no other credential", || {
        last.to_string()
    })?;
    Ok("the demo API noted the right key, and no other".to_owned())
}

/// The demo gives back the key that it received, wherever a careless target might.
pub(super) async fn echoed(scene: &Scene) -> Seen {
    let key = scene.key.expose_str().unwrap_or_default();
    let hides = |place: &str, text: &str| {
        expect(
            text.contains("[credential]") && !text.contains(key),
            &format!("`[credential]` in the {place}"),
            || text.replace(key, "(the secret)"),
        )
    };
    let function = scene.function()?;
    let body = function.get("/t/demo/customers/1/echo?in=body").await?;
    body.is(200, None)?;
    hides("body", &body.body)?;
    let header = function.get("/t/demo/customers/1/echo?in=header").await?;
    header.is(200, None)?;
    hides("header", header.header("x-echo"))?;
    let redirect = function.get("/t/demo/customers/1/echo?in=location").await?;
    redirect.is(302, None)?;
    hides("redirect", redirect.header("location"))?;
    Ok("[credential] in body, header and redirect".to_owned())
}

/// Functions never delete.
pub(super) async fn denied(scene: &Scene) -> Seen {
    let answer = scene.function()?.call("customers.delete", &json!({ "id": 2 }), 0).await?;
    answer.is(403, Some("denied"))?;
    let reason = answer.text("/detail");
    expect(reason.contains("functions-never-delete"), "the policy that denied it", || answer.to_string())?;
    Ok(format!("403: {reason}"))
}

/// Lists are few a minute.
pub(super) async fn rated(scene: &Scene) -> Seen {
    // Were the machine so slow that the rate refills meanwhile, a few more calls still use it up.
    for count in 0..50 {
        let answer = scene.function()?.call("customers.list", &json!({}), 0).await?;
        if answer.status == 429 {
            answer.is(429, Some("rate_limited"))?;
            let after = answer.header("retry-after").to_owned();
            expect(!after.is_empty(), "`Retry-After`", || format!("{:?}", answer.headers))?;
            return Ok(format!("{count} lists, then 429 and Retry-After: {after}"));
        }
        answer.is(200, None)?;
        no_personal_data(&answer.body)?;
    }
    expect(false, "429 rate_limited", || "50 lists within a moment".to_owned())?;
    Ok(String::new())
}

/// What was said in the first call, masked as it was answered.
pub(super) async fn recorded(scene: &Scene) -> Seen {
    let answer = scene.approver()?.get(&format!("/v1/calls/{}", scene.read_call)).await?;
    answer.is(200, None)?;
    let shown = answer.json();
    let events: Vec<&str> = shown
        .get("events")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|event| event.get("event").and_then(Value::as_str))
        .collect();
    expect(events == ["begun", "finished"], "the events begun and finished", || answer.to_string())?;
    let record = shown.get("record").map(ToString::to_string).unwrap_or_default();
    expect(record.contains("[email]"), "a record of the masked answer", || answer.to_string())?;
    no_personal_data(&record)?;
    Ok("begun, finished; arguments and answer, masked".to_owned())
}

fn no_personal_data(text: &str) -> anyhow::Result<()> {
    for personal in PERSONAL {
        expect(!text.contains(personal), &format!("nothing with `{personal}`"), || text.to_owned())?;
    }
    Ok(())
}
