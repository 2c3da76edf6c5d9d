//! From the claims of a token whose signature has been verified to a principal. A claim of the wrong type is a refusal,
//! never an absence: a policy that forbids by a claim must not be passed by writing the claim differently.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{GroupName, Principal, PrincipalKey, Timestamp};
use serde_json::{Map, Number, Value};

use crate::{IssuerSettings, TokenFault};

/// The last second that times may name: the end of the year 9999.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// The longest subject, in bytes (OpenID Connect Core 1.0, section 2).
const MAX_SUBJECT: usize = 255;

/// The longest chosen claim, in bytes.
const MAX_CLAIM: usize = 1024;

/// The longest chain of actors.
const MAX_ACTORS: usize = 8;

type Claims = Map<String, Value>;

/// Who the claims speak of, and until when they do, the issuer's clock skew included.
pub(crate) fn check(
    claims: &Claims,
    settings: &IssuerSettings,
    now: Timestamp,
) -> Result<(Principal, Timestamp), TokenFault> {
    if claims.get("iss").and_then(Value::as_str) != Some(settings.issuer.as_str()) {
        return Err(TokenFault::Issuer);
    }
    if ["nonce", "at_hash", "c_hash", "s_hash"].iter().any(|name| claims.contains_key(*name)) {
        return Err(TokenFault::IdToken);
    }
    if claims.contains_key("cnf") {
        return Err(TokenFault::Bound);
    }
    check_audience(claims, &settings.audiences)?;
    let expires = check_times(claims, settings, now)?;
    let subject = subject(claims)?;
    let principal = Principal {
        key: PrincipalKey { issuer: settings.name.clone(), subject },
        groups: groups(claims, settings)?,
        claims: chosen(claims, settings)?,
        actor: actor(claims, settings, MAX_ACTORS)?,
    };
    Ok((principal, expires))
}

/// RFC 7519, section 4.1.3: one text, or an array of them, of which one names us.
fn check_audience(claims: &Claims, ours: &BTreeSet<String>) -> Result<(), TokenFault> {
    let named = match claims.get("aud") {
        Some(Value::String(audience)) => ours.contains(audience),
        Some(Value::Array(list)) => {
            let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            texts.ok_or(TokenFault::Audience)?.iter().any(|audience| ours.contains(*audience))
        }
        _ => false,
    };
    if named { Ok(()) } else { Err(TokenFault::Audience) }
}

fn check_times(claims: &Claims, settings: &IssuerSettings, now: Timestamp) -> Result<Timestamp, TokenFault> {
    let expiry = claims.get("exp").and_then(time).ok_or(TokenFault::BadExpiry)?;
    let expires = expiry.plus(settings.skew);
    if now >= expires {
        return Err(TokenFault::Expired);
    }
    let latest = now.plus(settings.skew);
    if let Some(not_before) = claims.get("nbf")
        && time(not_before).is_none_or(|not_before| not_before > latest)
    {
        return Err(TokenFault::NotYetValid);
    }
    if let Some(issued) = claims.get("iat")
        && time(issued).is_none_or(|issued| issued > latest || issued > expiry)
    {
        return Err(TokenFault::IssuedAt);
    }
    Ok(expires)
}

/// A `NumericDate` (RFC 7519, section 2), which may have a fraction, between 1970 and 9999.
fn time(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_number().and_then(Number::as_f64)?;
    if !(0.0..=LAST_SECOND).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the range of years that was just checked")]
    Some(Timestamp::from_micros((seconds * 1e6) as i64))
}

fn subject(claims: &Claims) -> Result<Arc<str>, TokenFault> {
    let subject = claims.get("sub").and_then(Value::as_str).ok_or(TokenFault::Subject)?;
    let fits = (1..=MAX_SUBJECT).contains(&subject.len()) && !subject.chars().any(char::is_control);
    if fits { Ok(subject.into()) } else { Err(TokenFault::Subject) }
}

fn groups(claims: &Claims, settings: &IssuerSettings) -> Result<BTreeSet<GroupName>, TokenFault> {
    let Some(claim) = &settings.groups else { return Ok(BTreeSet::new()) };
    // An issuer that has moved the groups elsewhere (OpenID Connect Core 1.0, section 5.6.2) has not said that there are none.
    let elsewhere = claims.get("_claim_names").is_some_and(|names| names.get(&claim.name).is_some());
    let names: Vec<&Value> = match claims.get(&claim.name) {
        None if elsewhere => return Err(TokenFault::Groups),
        None => return Ok(BTreeSet::new()),
        Some(Value::Array(names)) if !claim.single => names.iter().collect(),
        Some(name @ Value::String(_)) if claim.single => vec![name],
        Some(_) => return Err(TokenFault::Groups),
    };
    let group = |name: &Value| name.as_str().and_then(|name| GroupName::new(&settings.name, name).ok());
    names.into_iter().map(|name| group(name).ok_or(TokenFault::Groups)).collect()
}

fn chosen(claims: &Claims, settings: &IssuerSettings) -> Result<BTreeMap<String, String>, TokenFault> {
    let mut chosen = BTreeMap::new();
    for name in &settings.claims {
        let text = match claims.get(name) {
            None => continue,
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(value)) => value.to_string(),
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => number.to_string(),
            Some(_) => return Err(TokenFault::Claim),
        };
        if text.len() > MAX_CLAIM || text.chars().any(char::is_control) {
            return Err(TokenFault::Claim);
        }
        chosen.insert(name.clone(), text);
    }
    Ok(chosen)
}

/// The `act` claim (RFC 8693, section 4.1): the current actor, within it the one before, and so on. An actor is a subject of
/// the token's issuer; one of another is refused, because this issuer cannot vouch for it. What else an actor carries is
/// not looked at: groups and claims are the principal's own.
fn actor(
    claims: &Claims,
    settings: &IssuerSettings,
    left: usize,
) -> Result<Option<Arc<Principal>>, TokenFault> {
    let Some(act) = claims.get("act") else { return Ok(None) };
    let (Some(act), Some(left)) = (act.as_object(), left.checked_sub(1)) else {
        return Err(TokenFault::Actor);
    };
    if act.get("iss").is_some_and(|issuer| issuer.as_str() != Some(settings.issuer.as_str())) {
        return Err(TokenFault::Actor);
    }
    let subject = subject(act).map_err(|_| TokenFault::Actor)?;
    Ok(Some(Arc::new(Principal {
        key: PrincipalKey { issuer: settings.name.clone(), subject },
        groups: BTreeSet::new(),
        claims: BTreeMap::new(),
        actor: actor(act, settings, left)?,
    })))
}
