//! What one request may be, and how many one caller may send.
//!
//! The rate is a token bucket for each caller. Callers are told apart by a
//! keyed hash into a fixed number of buckets: neither names nor addresses are
//! kept, and no flood of new ones makes the memory grow past a known size.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix_web::http::header::{HeaderName, HeaderValue};
use governor::Quota;
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;

use crate::problem::Problem;

/// How many callers are told apart; past that some share a bucket.
const BUCKETS: u64 = 1 << 18;
/// After how many questions full buckets are forgotten.
const SWEEP_EVERY: u32 = 16_384;

static RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
static RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// How large a request may be. In the app's data; a resource may have its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of a command's body.
    pub body_bytes_max: usize,
    /// Of an import's body.
    pub import_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes_max: 1024 * 1024, import_bytes_max: 32 * 1024 * 1024 }
    }
}

impl Limits {
    /// The same for a resource whose JSON body is an import.
    #[must_use]
    pub const fn for_imports(self) -> Self {
        Self { body_bytes_max: self.import_bytes_max, ..self }
    }
}

/// How often one caller may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateSettings {
    /// What the policy is called in the headers, `caller` for one.
    pub name: &'static str,
    /// Requests a second in the long run.
    pub per_second: NonZeroU32,
    /// Requests at once, after a rest.
    pub burst: NonZeroU32,
}

/// The buckets of one policy.
pub struct RateLimiter {
    settings: RateSettings,
    buckets: governor::RateLimiter<u64, DashMapStateStore<u64>, DefaultClock, StateInformationMiddleware>,
    hasher: RandomState,
    asked: AtomicU32,
}

/// Where a caller stands after a request. Put into the request's extensions, it
/// is told with the answer, whatever that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateState {
    settings: RateSettings,
    /// Requests left at once.
    pub remaining: u32,
}

impl RateLimiter {
    /// Full buckets.
    #[must_use]
    pub fn new(settings: RateSettings) -> Self {
        let quota = Quota::per_second(settings.per_second).allow_burst(settings.burst);
        let buckets = governor::RateLimiter::dashmap(quota).with_middleware();
        Self { settings, buckets, hasher: RandomState::new(), asked: AtomicU32::new(0) }
    }

    /// Takes one from the caller's bucket.
    ///
    /// # Errors
    /// 429 with `Retry-After` where it is empty.
    pub fn check(&self, key: &str) -> Result<RateState, Problem> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.buckets.retain_recent();
        }
        let settings = self.settings;
        match self.buckets.check_key(&(self.hasher.hash_one(key) % BUCKETS)) {
            Ok(state) => Ok(RateState { settings, remaining: state.remaining_burst_capacity() }),
            Err(until) => {
                let wait = until.wait_time_from(self.buckets.clock().now());
                let problem = Problem::new("rate_limited").retry_after(seconds_up(wait));
                let headers = RateState { settings, remaining: 0 }.headers();
                Err(headers.into_iter().fold(problem, |problem, (name, value)| problem.header(name, &value)))
            }
        }
    }
}

impl RateState {
    /// `RateLimit` and `RateLimit-Policy`, as draft-ietf-httpapi-ratelimit-headers-10 writes them.
    #[must_use]
    pub fn headers(&self) -> [(HeaderName, String); 2] {
        let RateSettings { name, per_second, burst } = self.settings;
        let spent = burst.get().saturating_sub(self.remaining);
        let (window, reset) = (burst.get().div_ceil(per_second.get()), spent.div_ceil(per_second.get()));
        [
            (RATE_LIMIT.clone(), format!("\"{name}\";r={};t={reset}", self.remaining)),
            (RATE_LIMIT_POLICY.clone(), format!("\"{name}\";q={burst};w={window}")),
        ]
    }

    /// Puts them on an answer.
    pub fn tell(&self, headers: &mut actix_web::http::header::HeaderMap) {
        for (name, value) in self.headers() {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

/// The key of a caller nobody knows: an address, or of IPv6 the network that
/// one household has.
#[must_use]
pub fn remote_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

fn seconds_up(wait: Duration) -> u32 {
    let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(whole).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError as _;
    use actix_web::http::StatusCode;

    use super::*;

    fn rate(per_second: u32, burst: u32) -> RateLimiter {
        let some = |n| NonZeroU32::new(n).expect("not zero");
        RateLimiter::new(RateSettings { name: "caller", per_second: some(per_second), burst: some(burst) })
    }

    #[test]
    fn an_empty_bucket_says_when_to_come_back() {
        let rate = rate(1, 3);
        let left: Vec<_> = (0..3).map(|_| rate.check("a").expect("within the burst").remaining).collect();
        assert_eq!(left, [2, 1, 0]);
        let answer = rate.check("a").expect_err("empty").error_response();
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        assert_eq!(header("retry-after").as_deref(), Some("1"));
        assert_eq!(header("ratelimit").as_deref(), Some("\"caller\";r=0;t=3"));
        assert_eq!(header("ratelimit-policy").as_deref(), Some("\"caller\";q=3;w=3"));
        assert!(rate.check("b").is_ok(), "another caller has a bucket of their own");
    }

    #[test]
    fn many_callers_take_bounded_memory() {
        let rate = rate(1_000_000, 1);
        for n in 0..3 * SWEEP_EVERY {
            let _ = rate.check(&n.to_string());
        }
        assert!(rate.buckets.len() <= 2 * SWEEP_EVERY as usize, "full buckets are forgotten: {}", rate.buckets.len());
    }

    #[test]
    fn an_ipv6_household_is_one_caller() {
        let key = |text: &str| remote_key(text.parse().expect("an address"));
        assert_eq!(key("2001:db8:1:2:3:4:5:6"), key("2001:db8:1:2::1"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
