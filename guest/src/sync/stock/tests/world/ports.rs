//! What a small world is to the guest: requests, a clock that is moved by hand, numbers that differ. Knows no product.

use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use futures_util::future::LocalBoxFuture;

use super::World;
use crate::ports::{Clock, Http, HttpFailure, HttpRequest, HttpResponse, Random};

impl Http for World {
    fn send(
        &self,
        request: HttpRequest,
    ) -> LocalBoxFuture<'_, std::result::Result<HttpResponse, HttpFailure>> {
        Box::pin(async move { self.answer(&request) })
    }
}

impl Clock for World {
    fn now(&self) -> DateTime<FixedOffset> {
        self.now.get()
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()> {
        self.now.set(self.now.get() + duration);
        Box::pin(async {})
    }
}

impl Random for World {
    fn next(&self) -> u64 {
        u64::try_from(self.requests.borrow().len()).unwrap()
            + self.storage.revision.borrow().wrapping_mul(1_000)
    }
}
