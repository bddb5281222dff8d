//! The router: everything the service answers, in the order of the contract.

use actix_web::web;
use actix_web::{HttpResponse, http::header};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::problem::{extractors, pages, unknown_path};
use crate::resources::{candidates, curricula, grants, needs_analyses, organisations, persons, programmes, sessions};
use crate::schema::Shape;
use crate::service::Service;
use crate::table::{Callers, Entry, Table};
use crate::{care, feed, health, me};

/// The table of contents.
#[must_use]
pub fn table() -> Table {
    let mut table = Table::default();
    organisations::operations(&mut table);
    persons::operations(&mut table);
    grants::operations(&mut table);
    curricula::operations(&mut table);
    needs_analyses::operations(&mut table);
    programmes::operations(&mut table);
    candidates::operations(&mut table);
    sessions::operations(&mut table);
    feed::operations(&mut table);
    me::operations(&mut table);
    care::operations(&mut table);
    health::operations(&mut table);
    let any = Shape(serde_json::json!({"type": "object", "description": "An OpenAPI 3.1 document."}));
    let about = "Read this contract.";
    table.add(Entry::get("/openapi.json", "get_contract", "service", Callers::Anybody, any, about), openapi);
    table
}

/// Everything, for `App::configure`.
pub fn routes(config: &mut web::ServiceConfig) {
    extractors(config);
    pages(config);
    table().configure(config);
    config.service(SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json").try_it_out_enabled(true)));
    config.service(web::redirect("/docs", "/docs/"));
    config.default_service(web::to(unknown_path));
}

async fn openapi(service: web::Data<Service>) -> HttpResponse {
    let contract = service.contract.to_string();
    HttpResponse::Ok().content_type("application/json").insert_header((header::CACHE_CONTROL, "no-cache")).body(contract)
}
