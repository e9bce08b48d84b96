//! `ledgerline check-token`: what a token would give, claim by claim, and why not.

use std::{fmt::Write as _, io::Read as _, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use super::say;
use crate::{
    auth::{
        Access, policy,
        reading::{self, Field, Reading},
        token,
    },
    catalog::{Door, Products, issuers::DEVELOPMENT_ISSUER, management::OWN_ISSUER},
    clock::Clock,
    config::Settings,
    error::{Code, Error},
    event::Timestamp,
    keys::{DevelopmentKeys, Keys},
};

/// Exit code where no product accepts the token.
const REFUSED: u8 = 1;
/// Exit code where keys could not be fetched, so that nobody knows.
const UNKNOWN: u8 = 3;
/// Longest text that is read from standard input, in bytes.
const INPUT_BYTES: u64 = 64 * 1024;

/// The token.
#[derive(Args)]
pub struct CheckTokenArgs {
    /// The token; from standard input where it is - or left out, so that no list of processes shows it.
    token: Option<String>,
}

/// What becomes of a token at a door.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Refused,
    Unknown,
}

/// Explains the token.
pub async fn run(settings: &Settings, products: &Products, arguments: &CheckTokenArgs) -> Result<ExitCode> {
    let text = match arguments.token.as_deref() {
        None | Some("-") => read_input()?,
        Some(token) => token.to_owned(),
    };
    let token = text.trim();
    let token =
        token.split_once(' ').filter(|(word, _)| word.eq_ignore_ascii_case("bearer")).map_or(token, |(_, t)| t.trim());
    let development = DevelopmentKeys::open(&settings.keys_folder(), products).context("development keys")?;
    let keys = Keys::new(products, Some(development))
        .map_err(|faults| anyhow::anyhow!("the keys have faults:\n{}", faults.join("\n")))?;
    let Some(claims) = readable(token)? else { return Ok(ExitCode::from(REFUSED)) };
    let iss = claims.get("iss").and_then(Value::as_str).unwrap_or_default().to_owned();
    let doors: Vec<&Door> = products.doors(&iss).collect();
    if doors.is_empty() {
        say(unknown_issuer(&iss, products))?;
        return Ok(ExitCode::from(REFUSED));
    }
    let mut verdicts = Vec::new();
    let now = Clock::system().now();
    for door in &doors {
        verdicts.push(explain(token, &claims, door, &keys, now).await?);
    }
    let meant = doors.iter().filter(|door| reading::is_meant(&claims, door)).count();
    if meant > 1 && token::door_of(token, products).is_err() {
        say("\nThe token is refused: several products accept it. Give each an audience of its own.")?;
        return Ok(ExitCode::from(REFUSED));
    }
    Ok(match () {
        () if verdicts.contains(&Verdict::Accepted) => ExitCode::SUCCESS,
        () if verdicts.contains(&Verdict::Unknown) => ExitCode::from(UNKNOWN),
        () => ExitCode::from(REFUSED),
    })
}

fn read_input() -> Result<String> {
    let mut text = String::new();
    let read = std::io::stdin().take(INPUT_BYTES).read_to_string(&mut text);
    read.context("the token cannot be read from standard input")?;
    if text.trim().is_empty() {
        bail!("there is no token: give one, or write it to standard input");
    }
    Ok(text)
}

/// The claims of a token, or a line that says why there are none.
fn readable(token: &str) -> Result<Option<Value>> {
    let fault = if token.len() > token::TOKEN_BYTES {
        format!("The token is refused: it has {} bytes, and at most {} are taken.", token.len(), token::TOKEN_BYTES)
    } else if token.split('.').count() != 3 {
        "This is no JWT, which has three parts with dots between. Some identity providers give such a token where none for \
         an API was asked for: ask for one with an audience. Keys that the service itself made are looked up in its database, \
         and not explained here."
            .to_owned()
    } else {
        match token::claimed(token) {
            Some(claims) if claims.get("iss").and_then(Value::as_str) == Some(OWN_ISSUER) => {
                "The service itself made this token. What it may do stands in the database: see auditTokens.".to_owned()
            }
            Some(claims) => return Ok(Some(claims)),
            None => "The token is refused: its claims are no JSON object that names each claim once.".to_owned(),
        }
    };
    say(fault)?;
    Ok(None)
}

fn unknown_issuer(iss: &str, products: &Products) -> String {
    let mut text = format!("The token is refused: its issuer (iss) is {iss:?}, which no product has. There are:");
    for product in products.iter() {
        for issuer in &product.issuers {
            let _ = write!(text, "\n  {:?} of {}", issuer.name.to_string(), product.name);
        }
    }
    text
}

/// Prints what an issuer's section makes of the claims, a line each.
async fn explain(token: &str, claims: &Value, door: &Door, keys: &Keys, now: Timestamp) -> Result<Verdict> {
    say(format_args!("{} ({})", door.product.label, door.issuer.place))?;
    let proof = keys.prove(token, door, now).await;
    line("signature", &signature(token, &proof, door, keys))?;
    line("audience", &audience(claims, door))?;
    if let Some(missing) = reading::missing(claims, door) {
        line("required", &format!("REFUSED: {missing} is {}, which required does not have", shown(claims, missing)))?;
    }
    for (name, what) in [("exp", "end"), ("nbf", "begin")] {
        line(what, &time(claims, name, now))?;
    }
    let reading = reading::read(claims, door);
    for (name, field) in reading.fields() {
        line(name, &field_text(field, &reading, name))?;
    }
    let admitted = token::admit(claims, door, now).map_err(Error::from);
    let verdict = match (&proof, &admitted) {
        (_, Err(_)) => Verdict::Refused,
        (Ok(_), Ok(_)) => Verdict::Accepted,
        (Err(error), Ok(_)) if error.code() == Code::Unavailable => Verdict::Unknown,
        (Err(_), Ok(_)) => Verdict::Refused,
    };
    if let Ok(accepted) = &admitted {
        line("may read", &access(&policy::read_access(&accepted.principal)))?;
        line("may record", &access(&policy::record_access(&accepted.principal)))?;
        if accepted.principal.plan.is_none() && !door.product.access.plans.is_empty() {
            line("", "the service also looks for a plan that was set by setOrganizationPlan")?;
        }
    }
    let accepted = match (verdict, &proof, &admitted) {
        (Verdict::Accepted, ..) => "accepted".to_owned(),
        (Verdict::Unknown, ..) => "cannot be told: the keys are not at hand".to_owned(),
        (_, _, Err(error)) | (_, Err(error), _) => format!("REFUSED: {error}"),
        (Verdict::Refused, Ok(_), Ok(_)) => "REFUSED".to_owned(),
    };
    line("the token", &accepted)?;
    Ok(verdict)
}

fn line(name: &str, text: &str) -> Result<()> {
    say(format_args!("  {name:<13} {text}"))
}

fn signature(token: &str, proof: &crate::error::Result<Value>, door: &Door, keys: &Keys) -> String {
    let header = jsonwebtoken::decode_header(token).ok();
    let of = header.map_or_else(
        || "an algorithm that is not known".to_owned(),
        |header| match header.kid {
            Some(kid) => format!("{:?} by the key {kid:?}", header.alg),
            None => format!("{:?} by a key without an id", header.alg),
        },
    );
    match proof {
        Ok(_) if door.issuer.name.is(DEVELOPMENT_ISSUER) => {
            format!("good: {of}, a development key, which only demo and serve --dev accept")
        }
        Ok(_) => format!("good: {of}"),
        Err(error) if error.code() == Code::Unavailable => {
            format!("not checked, the keys could not be fetched: {}", keys.faults_of(door).join("; "))
        }
        Err(_) if !keys.has_key_of(door) => format!("REFUSED: {of}, and there is no key of this issuer"),
        Err(Error::Unauthenticated(why)) if *why != token::NOT_ACCEPTED => format!("REFUSED: {why}"),
        Err(_) => format!("REFUSED: {of}, and no key of this issuer fits: another key, or another algorithm"),
    }
}

fn audience(claims: &Value, door: &Door) -> String {
    let issuer = &door.issuer;
    if issuer.audiences.is_empty() {
        return "not asked for, required says what is".to_owned();
    }
    let found = issuer.claims.audience.iter().find(|place| place.of(claims).is_some());
    let has = found.map_or_else(|| "absent".to_owned(), |place| format!("{} from {place}", shown(claims, place)));
    if reading::is_for_audience(claims, door) {
        return has;
    }
    let places: Vec<_> = issuer.claims.audience.iter().map(ToString::to_string).collect();
    format!("REFUSED: {has}; {} must have {}", places.join(" or "), issuer.audiences.join(" or "))
}

fn shown(claims: &Value, place: &crate::catalog::ClaimPath) -> String {
    place.of(claims).map_or_else(|| "absent".to_owned(), Value::to_string)
}

fn time(claims: &Value, name: &str, now: Timestamp) -> String {
    let Some(value) = claims.get(name).filter(|value| !value.is_null()) else {
        return format!("{} ({name})", if name == "exp" { "REFUSED: absent" } else { "absent" });
    };
    let Some(seconds) = value.as_f64() else { return format!("REFUSED: {value} is no number ({name})") };
    #[expect(clippy::cast_precision_loss, reason = "to the minute, for people")]
    let left = seconds - now.0 as f64 / 1e9;
    let (away, side) = if left < 0.0 { (-left, "ago") } else { (left, "from now") };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from a float saturates")]
    let span = humantime::format_duration(std::time::Duration::from_secs(away as u64));
    format!("{span} {side} ({name})")
}

fn field_text(field: &Field, reading: &Reading, name: &str) -> String {
    let values: Vec<_> = field.values.iter().map(|value| format!("{value:?}")).collect();
    let mut text = if values.is_empty() { "none".to_owned() } else { values.join(", ") };
    if field.is_default {
        text.push_str(", among them default_scopes");
    }
    if !field.found.is_empty() {
        let _ = write!(text, " from {}", field.found.join(", "));
    }
    for odd in &field.odd {
        let counts = match name {
            "organization" if reading.organization.values.is_empty() => "REFUSED: an organization must be one text",
            "logs" => "REFUSED: logs must be level:id each",
            _ => "counts as absent",
        };
        let _ = write!(text, "; {} is {}: {counts}", odd.at, odd.is);
    }
    for (value, why) in &field.withheld {
        let _ = write!(text, "; not {value:?}, because {why}");
    }
    text
}

fn access(access: &Access) -> String {
    match &access.message {
        None => "yes".to_owned(),
        Some(why) => format!("no: {why}"),
    }
}
