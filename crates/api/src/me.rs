//! `GET /v1/me`: who the bearer of a token is, where, and by what rights.

use actix_web::HttpResponse;
use lastresort_fact::{OrganisationId, PersonId};
use lastresort_views::Moment;
use lastresort_views::grant::GrantShown;
use lastresort_views::organisation::Organisations;
use serde::Serialize;
use utoipa::ToSchema;

use crate::call::{Answer, Guest};
use crate::table::{Callers, Entry, Table};

/// Who somebody is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Me {
    /// The organisations that know them.
    pub organisations: Vec<Membership>,
}

/// Somebody in one organisation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Membership {
    /// The organisation.
    pub organisation: OrganisationId,
    /// Its name.
    pub name: String,
    /// Who they are there.
    pub person: PersonId,
    /// The rights they act by now.
    pub grants: Vec<GrantShown>,
}

/// The operation.
pub fn operations(table: &mut Table) {
    let answer = table.shapes.of::<Me>();
    let entry = Entry::get("/v1/me", "get_me", "me", Callers::Bearers, answer, "Read who you are, where, and by what rights.");
    table.add(entry, me);
}

async fn me(guest: Guest) -> Answer {
    guest.query(&[])?;
    let service = &guest.service;
    let at = service.desk.clock.now();
    let mut organisations = Vec::new();
    for (organisation, _) in service.follower.states() {
        let Some(known) = guest.known(organisation, false).await? else { continue };
        guest.log_inspection(organisation, &known)?;
        let row = service.follower.row::<Organisations>(organisation, &organisation.to_string()).await?;
        let moment = Moment { at, day: at.date() };
        organisations.push(Membership {
            organisation,
            name: row.map(|found| found.row.name).unwrap_or_default(),
            person: known.person,
            grants: known.holding(at).map(|grant| grant.shown(moment)).collect(),
        });
    }
    organisations.sort_by(|one, other| (&one.name, one.organisation).cmp(&(&other.name, other.organisation)));
    Ok(HttpResponse::Ok().json(Me { organisations }))
}
