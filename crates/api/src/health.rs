//! Whether the service lives, is ready, and its figures.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use utoipa::ToSchema;

use crate::call::Answer;
use crate::problem::Problem;
use crate::schema::Shape;
use crate::service::Service;
use crate::table::{Callers, Entry, Table};

/// How the service is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Health {
    /// `live`, `ready` or `not_ready`.
    pub status: String,
    /// What was looked at, each with what was found.
    pub checks: Vec<Check>,
}

/// One thing looked at.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Check {
    /// What.
    pub name: String,
    /// Whether it is as it should be.
    pub ready: bool,
    /// What was found, without personal data.
    pub detail: String,
}

/// The operations.
pub fn operations(table: &mut Table) {
    let health = table.shapes.of::<Health>();
    let live = Entry::get("/health/live", "get_liveness", "service", Callers::Anybody, health.clone(), "Say whether the process lives.");
    table.add(live, async || HttpResponse::Ok().json(Health { status: "live".to_owned(), checks: Vec::new() }));
    let about = "Say whether requests can be answered: database, migrations, followers, tokens.";
    table.add(Entry::get("/health/ready", "get_readiness", "service", Callers::Anybody, health, about), ready);
    let text = Shape(serde_json::json!({"type": "string"}));
    let about = "Figures for Prometheus.";
    table.add(Entry::get("/metrics", "get_metrics", "service", Callers::Anybody, text, about), metrics);
}

async fn ready(service: web::Data<Service>) -> HttpResponse {
    let mut checks = Vec::new();
    let mut check = |name: &str, ready: bool, detail: String| checks.push(Check { name: name.to_owned(), ready, detail });
    match service.desk.store.ping().await {
        Ok(()) => check("database", true, format!("{} takes writes; its schema is this program's", service.desk.store.name())),
        Err(_) => check("database", false, "it does not answer, or takes no writes".to_owned()),
    }
    let states = service.follower.states();
    let halted = states.iter().filter(|(_, state)| state.halted.is_some()).count();
    let behind = states.iter().filter(|(_, state)| !state.ready).count();
    let detail = format!("{} ledgers followed, {halted} halted, {behind} not yet of this program's shape", states.len());
    check("followers", halted == 0, detail);
    let keys = service.verifier.is_ready();
    check("tokens", keys, if keys { "the issuers' keys are known" } else { "an issuer's keys were never to be had" }.to_owned());
    let ready = checks.iter().all(|check| check.ready);
    let (answer, said) = if ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not_ready") };
    HttpResponse::build(answer).json(Health { status: said.to_owned(), checks })
}

async fn metrics(handle: Option<web::Data<PrometheusHandle>>) -> Answer {
    let handle = handle.ok_or_else(|| Problem::new("unavailable").detail("No figures are kept by this process."))?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(Arc::clone(&handle.into_inner()).render()))
}
