//! The table of contents: every operation once, with its path, who may call
//! it, what it takes and what it answers. Routes and contract are both made
//! from it, so that neither can say what the other does not.

use std::collections::BTreeMap;

use actix_web::http::{Method, StatusCode};
use actix_web::{Handler, Responder, Route, Scope, web};
use lastresort_domain::Action;
use lastresort_fact::{OrganisationId, Role};
use lastresort_ledger::desk::Expect;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::call::{Call, Guest};
use crate::command::{Asking, Ready, Version};
use crate::listing;
use crate::problem::{Problem, only, route as served};
use crate::resource::{CommandOf, Resource, read};
use crate::schema::{Shape, Shapes};
use crate::sight::Told;

/// Under what everything of a ledger stands.
pub const PREFIX: &str = "/v1/organisations/{org}";

/// One operation of the contract.
pub struct Operation {
    /// How it is asked for.
    pub method: Method,
    /// Where.
    pub path: String,
    /// Its name, for generated clients.
    pub id: String,
    /// The group it is shown in.
    pub tag: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// Who may call it.
    pub callers: Callers,
    /// Who else may call it, and sees part of what there is.
    pub in_part: Vec<Role>,
    /// Its query parameters.
    pub query: Vec<Parameter>,
    /// The body it takes.
    pub body: Option<Shape>,
    /// What it answers.
    pub answer: (StatusCode, Shape),
    /// A command, and how it stands to versions.
    pub command: Option<Option<Version>>,
    route: Route,
}

/// Who may call an operation.
#[derive(Clone, Copy, Debug)]
pub enum Callers {
    /// Anybody at all.
    Anybody,
    /// Anybody with a good token.
    Bearers,
    /// The configured operator.
    Operator,
    /// Whoever holds one of these roles.
    Roles(&'static [Role]),
    /// Those, and whoever it is about.
    RolesAndOneself(&'static [Role]),
}

/// A query parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: String,
    /// Its schema.
    pub schema: Shape,
}

/// Where each action is done: by resource and name.
#[derive(Clone, Debug, Default)]
pub struct Places(BTreeMap<(&'static str, &'static str), (Method, String)>);

impl Places {
    /// The method and address of an action on one resource.
    #[must_use]
    pub fn place(
        &self,
        resource: &'static str,
        action: &'static str,
        organisation: OrganisationId,
        id: Uuid,
        part: Option<(&'static str, String)>,
    ) -> (String, String) {
        let Some((method, path)) = self.0.get(&(resource, action)) else {
            tracing::error!(resource, action, "an action has no place in the table");
            return ("POST".to_owned(), String::new());
        };
        let path = path.replace("{org}", &organisation.to_string()).replace(&format!("{{{resource}}}"), &id.to_string());
        let path = match part {
            Some((name, which)) => path.replace(&format!("{{{name}}}"), &which),
            None => path,
        };
        (method.to_string(), path)
    }
}

impl Places {
    /// Says where an action is done.
    pub fn say(&mut self, resource: &'static str, action: impl Action, method: Method, path: &str) {
        self.0.insert((resource, action.name()), (method, path.to_owned()));
    }
}

/// All operations.
#[derive(Default)]
pub struct Table {
    /// In the order they were added.
    pub operations: Vec<Operation>,
    /// Where each action is done.
    pub places: Places,
    /// Whom the feed tells of what.
    pub told: Told,
    /// The shapes they name.
    pub shapes: Shapes,
}

impl Table {
    /// Adds an operation with a handler of its own.
    pub fn add<F, Args>(&mut self, entry: Entry, handler: F)
    where
        F: Handler<Args>,
        Args: actix_web::FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let Entry { method, path, id, tag, summary, callers, in_part, query, body, answer, command } = entry;
        let route = served(method.clone()).to(handler);
        self.operations.push(Operation { method, path, id, tag, summary, callers, in_part, query, body, answer, command, route });
    }

    /// The operations of a resource; whoever reads it hears of it in the feed.
    pub fn resource<R: Resource>(&mut self) -> Rows<'_, R> {
        self.told.resource::<R>();
        Rows { table: self, of: std::marker::PhantomData }
    }

    /// Gives every path its methods, and a 405 for the others. The router tries
    /// one pattern after the other, so it is led by the fixed parts of a path first.
    pub fn configure(self, config: &mut web::ServiceConfig) {
        let mut paths: BTreeMap<String, Vec<(Method, Route)>> = BTreeMap::new();
        for operation in self.operations {
            paths.entry(operation.path).or_default().push((operation.method, operation.route));
        }
        // The router takes the first that fits: `/persons/by-external/…` before `/persons/{person}/…`.
        let mut paths: Vec<_> = paths.into_iter().collect();
        paths.sort_by_key(|(path, _)| path.replace('{', "\u{7f}"));
        let mut groups: BTreeMap<String, Scope> = BTreeMap::new();
        for (path, routes) in paths {
            let allow = routes.iter().map(|(method, _)| method.as_str()).collect::<Vec<_>>().join(", ");
            let resource = |path: &str| routes.into_iter().fold(web::resource(path), |resource, (_, route)| resource.route(route));
            let Some(within) = path.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('/')) else {
                config.service(resource(&path).default_service(only(&allow)));
                continue;
            };
            let name = within.split('/').next().unwrap_or_default();
            let group = groups.remove(name).unwrap_or_else(|| web::scope(&format!("/{name}")));
            groups.insert(name.to_owned(), group.service(resource(&within[name.len()..]).default_service(only(&allow))));
        }
        config.service(groups.into_values().fold(web::scope(PREFIX), Scope::service));
    }
}

/// What is said of an operation beside its handler.
pub struct Entry {
    /// How it is asked for.
    pub method: Method,
    /// Where.
    pub path: String,
    /// Its name.
    pub id: String,
    /// Its group.
    pub tag: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Who may call it.
    pub callers: Callers,
    /// Who else may call it, and sees part of what there is.
    pub in_part: Vec<Role>,
    /// Its query parameters.
    pub query: Vec<Parameter>,
    /// The body it takes.
    pub body: Option<Shape>,
    /// What it answers.
    pub answer: (StatusCode, Shape),
    /// A command, and how it stands to versions.
    pub command: Option<Option<Version>>,
}

impl Entry {
    /// A read.
    #[must_use]
    pub fn get(path: &str, id: &str, tag: &'static str, callers: Callers, answer: Shape, summary: &'static str) -> Self {
        Self {
            method: Method::GET,
            path: path.to_owned(),
            id: id.to_owned(),
            tag,
            summary,
            callers,
            in_part: Vec::new(),
            query: Vec::new(),
            body: None,
            answer: (StatusCode::OK, answer),
            command: None,
        }
    }

    /// Read as this resource is, in part by those who read part of it.
    #[must_use]
    fn of<R: Resource>(mut self) -> Self {
        self.in_part = R::PARTS.iter().flat_map(|part| part.roles).copied().collect();
        self
    }

    /// With these query parameters.
    #[must_use]
    pub fn query(mut self, query: Vec<Parameter>) -> Self {
        self.query = query;
        self
    }
}

/// The operations of one resource.
pub struct Rows<'a, R> {
    table: &'a mut Table,
    of: std::marker::PhantomData<fn() -> R>,
}

/// What a body asks of a resource.
pub type Sent<R> = Result<Asking<CommandOf<R>>, Problem>;
/// What a body asks of a new one, and its id.
pub type New<R> = Result<(Uuid, Asking<CommandOf<R>>), Problem>;

/// The path of a request, for commands that name a part of a resource.
pub struct Ids<'a>(&'a Guest);

impl Ids<'_> {
    /// A part of the path.
    ///
    /// # Errors
    /// 404 where it cannot name anything.
    pub fn get<T: std::str::FromStr>(&self, name: &str) -> Result<T, Problem> {
        self.0.id(name)
    }
}

impl<R: Resource> Rows<'_, R> {
    fn path(suffix: &str) -> String {
        match suffix {
            "" => format!("{PREFIX}/{}/{{{}}}", R::PATH, R::ID),
            suffix => format!("{PREFIX}/{}/{{{}}}/{suffix}", R::PATH, R::ID),
        }
    }

    /// `GET` of one.
    pub fn one(&mut self, summary: &'static str) -> &mut Self {
        let shape = self.table.shapes.answer::<R>();
        let callers = if R::ABOUT.is_some() { Callers::RolesAndOneself(R::READERS) } else { Callers::Roles(R::READERS) };
        let entry = Entry::get(&Self::path(""), &format!("get_{}", R::ID), R::PATH, callers, shape, summary);
        let entry = entry.of::<R>().query(vec![listing::min_position()]);
        self.table.add(entry, |call: Call| async move {
            let id = call.guest.id(R::ID)?;
            read::<R>(&call, id).await
        });
        self
    }

    /// `GET` of many.
    pub fn many(&mut self, summary: &'static str) -> &mut Self {
        let shape = self.table.shapes.list::<R>();
        let callers = if R::ABOUT.is_some() { Callers::RolesAndOneself(R::READERS) } else { Callers::Roles(R::READERS) };
        let path = format!("{PREFIX}/{}", R::PATH);
        let entry = Entry::get(&path, &format!("list_{}", R::PATH.replace('-', "_")), R::PATH, callers, shape, summary);
        let entry = entry.of::<R>().query(listing::parameters::<R>());
        self.table.add(entry, |call: Call| async move { listing::list::<R>(&call).await });
        self
    }

    /// `POST` that makes a new one; the closure says its id and what is asked.
    pub fn create<B: DeserializeOwned + ToSchema + 'static>(
        &mut self,
        action: impl Action,
        summary: &'static str,
        asked: fn(B, &Call) -> New<R>,
    ) -> &mut Self {
        let (body, answer) = (self.table.shapes.of::<B>(), self.table.shapes.answer::<R>());
        let entry = Entry {
            method: Method::POST,
            body: Some(body),
            answer: (StatusCode::CREATED, answer),
            command: Some(None),
            ..Entry::get(
                &format!("{PREFIX}/{}", R::PATH),
                &format!("{}_{}", R::ID.replace('-', "_"), action.name()),
                R::PATH,
                Callers::Roles(action.roles()),
                Shape::nothing(),
                summary,
            )
        };
        self.table.add(entry, move |mut call: Call| async move {
            let acting = call.right_to::<R>(action, None).await?;
            let body = call.guest.body::<B>().await?;
            let (id, asking) = asked(body.value, &call)?;
            call.perform::<R>(Ready { id, expect: Expect::New, asking, acting, body: body.canonical, status: StatusCode::CREATED }).await
        });
        self
    }

    /// `POST` to one; the closure says what is asked.
    pub fn act<B: DeserializeOwned + ToSchema + 'static>(
        &mut self,
        action: impl Action,
        suffix: &str,
        version: Version,
        summary: &'static str,
        asked: fn(B, &Ids<'_>) -> Sent<R>,
    ) -> &mut Self {
        let (body, answer) = (self.table.shapes.of::<B>(), self.table.shapes.answer::<R>());
        let path = Self::path(suffix);
        self.table.places.say(R::ID, action, Method::POST, &path);
        let id = format!("{}_{}", R::ID.replace('-', "_"), action.name());
        let entry = Entry {
            method: Method::POST,
            body: Some(body),
            command: Some(Some(version)),
            ..Entry::get(&path, &id, R::PATH, Callers::Roles(action.roles()), answer, summary)
        };
        self.table.add(entry, move |mut call: Call| async move {
            let id: Uuid = call.guest.id(R::ID)?;
            let acting = call.right_to::<R>(action, Some(id)).await?;
            let body = call.guest.body::<B>().await?;
            let asking = asked(body.value, &Ids(&call.guest))?;
            let expect = call.guest.expect(version)?;
            call.perform::<R>(Ready { id, expect, asking, acting, body: body.canonical, status: StatusCode::OK }).await
        });
        self
    }
}
