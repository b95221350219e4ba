//! Which request is which operation of スマレジ, its scope, and the checks that all of them share. It must hold no rule of one.

use http::Method;

use super::answer::{Problem, ok};
use super::{Smaregi, body, bulk, lists, register, relabel, stock, undo};
use crate::wire::{Request, Response};

/// An operation with the ids of its path.
enum Operation<'a> {
    Token(&'a str),
    Authorize,
    UserToken,
    UserInfo,
    Products,
    Product(&'a str),
    Stores,
    Store(&'a str),
    Stock,
    Changes(&'a str, &'a str),
    AddStock(&'a str),
    SetStock(&'a str),
    Register,
    Transactions,
    Transaction(&'a str),
    Relabel(&'a str),
    Details(&'a str),
    PaymentMethods,
    Customers,
    AddManyStock,
    SetManyStock,
    /// An operation that the contract's plan does not have.
    BeyondPlan,
    Cancel(&'a str),
    Dispose(&'a str),
}

fn operation<'a>(method: &Method, path: &[&'a str]) -> Option<(Option<&'a str>, Operation<'a>)> {
    use Operation as O;
    let (get, post, patch) = (
        *method == Method::GET,
        *method == Method::POST,
        *method == Method::PATCH,
    );
    if let ["app", contract, "token"] = path {
        return post.then_some((None, O::Token(contract)));
    }
    match path {
        ["authorize"] if get => return Some((None, O::Authorize)),
        ["authorize", "token"] if post => return Some((None, O::UserToken)),
        ["userinfo"] if post => return Some((None, O::UserInfo)),
        _ => {}
    }
    let [contract, "pos", rest @ ..] = path else {
        return None;
    };
    let found = match rest {
        ["products"] if get => O::Products,
        ["products", id] if get => O::Product(id),
        ["stores"] if get => O::Stores,
        ["stores", id] if get => O::Store(id),
        ["payment_methods"] if get => O::PaymentMethods,
        ["customers"] if get => O::Customers,
        // Retail Business only (smaregi.md 4b); the sandbox's contract has a lower plan.
        ["shipping" | "receiving", ..] if get || post || patch => O::BeyondPlan,
        ["stock"] if get => O::Stock,
        ["stock", "changes", product, store] if get => O::Changes(product, store),
        ["stock", "add", "bulk"] if post => O::AddManyStock,
        ["stock", "bulk"] if patch => O::SetManyStock,
        ["stock", product, "add"] if post => O::AddStock(product),
        ["stock", product] if patch => O::SetStock(product),
        ["transactions"] if post => O::Register,
        ["transactions"] if get => O::Transactions,
        ["transactions", id] if get => O::Transaction(id),
        ["transactions", id] if patch => O::Relabel(id),
        ["transactions", id, "details"] if get => O::Details(id),
        ["transactions", id, "cancel"] if post => O::Cancel(id),
        ["transactions", id, "dispose"] if post => O::Dispose(id),
        _ => return None,
    };
    Some((Some(contract), found))
}

impl Operation<'_> {
    /// Path with its ids replaced, and the scope it needs.
    fn name(&self) -> (&'static str, &'static str) {
        match self {
            Self::Token(_) => ("/app/{contract}/token", ""),
            Self::Authorize => ("/authorize", ""),
            Self::UserToken => ("/authorize/token", ""),
            Self::UserInfo => ("/userinfo", ""),
            Self::Products => ("/products", "pos.products:read"),
            Self::Product(_) => ("/products/{product}", "pos.products:read"),
            Self::Stores => ("/stores", "pos.stores:read"),
            Self::Store(_) => ("/stores/{store}", "pos.stores:read"),
            Self::Stock => ("/stock", "pos.stock:read"),
            Self::AddManyStock => ("/stock/add/bulk", "pos.stock:write"),
            Self::SetManyStock => ("/stock/bulk", "pos.stock:write"),
            // The scope of payment methods is assumed.
            Self::PaymentMethods => ("/payment_methods", "pos.stores:read"),
            Self::Customers => ("/customers", "pos.customers:read"),
            Self::BeyondPlan => ("/shipping, /receiving", ""),
            Self::Changes(..) => ("/stock/changes/{product}/{store}", "pos.stock-changes:read"),
            Self::AddStock(_) => ("/stock/{product}/add", "pos.stock:write"),
            Self::SetStock(_) => ("/stock/{product}", "pos.stock:write"),
            Self::Register | Self::Transactions => ("/transactions", ""),
            Self::Transaction(_) => ("/transactions/{transaction}", "pos.transactions:read"),
            Self::Relabel(_) => ("/transactions/{transaction}", "pos.transactions:write"),
            Self::Details(_) => (
                "/transactions/{transaction}/details",
                "pos.transactions:read",
            ),
            Self::Cancel(_) => (
                "/transactions/{transaction}/cancel",
                "pos.transactions:write",
            ),
            Self::Dispose(_) => (
                "/transactions/{transaction}/dispose",
                "pos.transactions:write",
            ),
        }
    }

    fn scope(&self) -> &'static str {
        match self {
            Self::Register => "pos.transactions:write",
            Self::Transactions => "pos.transactions:read",
            _ => self.name().1,
        }
    }
}

fn segments(request: &Request) -> Vec<&str> {
    request.uri().path().split('/').skip(1).collect()
}

/// Whether a request is for the identity host, whose refusals have OAuth's shape (smaregi.md 8).
pub fn is_identity(request: &Request) -> bool {
    matches!(
        segments(request).as_slice(),
        ["app", _, "token"] | ["authorize", ..] | ["userinfo"]
    )
}

/// Method and path, ids replaced by names.
pub fn endpoint(request: &Request) -> String {
    let known = operation(request.method(), &segments(request));
    let path = known.map_or_else(|| request.uri().path(), |(_, operation)| operation.name().0);
    format!("{} {path}", request.method())
}

/// Acts on a request.
pub fn handle(smaregi: &mut Smaregi, request: &Request) -> Result<Response, Problem> {
    let path = segments(request);
    let write = request.method() != Method::GET;
    smaregi.pace.count(&smaregi.clock, write)?;
    let (contract, operation) =
        operation(request.method(), &path).ok_or_else(Problem::not_found)?;
    let now = smaregi.now();
    match operation {
        Operation::Token(contract) => return Ok(smaregi.access.token(contract, request, now)),
        Operation::Authorize => return Ok(smaregi.access.authorize(request, now)),
        Operation::UserToken => return Ok(smaregi.access.user_token(request, now)),
        Operation::UserInfo => return Ok(smaregi.access.user_info(request, now)),
        // What is missing is the plan, whatever the scopes.
        Operation::BeyondPlan => smaregi.access.known(request, now).map(|_| ())?,
        _ => smaregi.access.check(request, operation.scope(), now)?,
    }
    if contract != Some(smaregi.access.app.contract_id.as_str()) {
        return Err(Problem::unauthorized());
    }
    act(smaregi, &operation, request)
}

fn act(
    smaregi: &mut Smaregi,
    operation: &Operation<'_>,
    request: &Request,
) -> Result<Response, Problem> {
    let answer = match operation {
        Operation::Token(_) | Operation::Authorize | Operation::UserToken | Operation::UserInfo => {
            return Err(Problem::not_found());
        }
        Operation::Products => lists::products(&smaregi.books, request)?,
        Operation::Product(id) => lists::product(&smaregi.books, id, request)?,
        Operation::Stores => lists::stores(&smaregi.books, request)?,
        Operation::Store(id) => lists::store(&smaregi.books, id, request)?,
        Operation::PaymentMethods => lists::payment_methods(request)?,
        Operation::Customers => lists::customers(&smaregi.books, request)?,
        Operation::Details(id) => lists::details(&smaregi.books, id, request)?,
        Operation::BeyondPlan => return Err(Problem::beyond_plan()),
        Operation::AddManyStock => bulk::accept(smaregi, body::object(request)?, true)?,
        Operation::SetManyStock => bulk::accept(smaregi, body::object(request)?, false)?,
        Operation::Relabel(id) => relabel::relabel(smaregi, id, body::object(request)?)?,
        Operation::Stock => lists::stock(&smaregi.books, request)?,
        Operation::Changes(product, store) => {
            lists::changes(&smaregi.books, (product, store), request)?
        }
        Operation::Transactions => lists::transactions(&smaregi.books, request)?,
        Operation::Transaction(id) => lists::transaction(&smaregi.books, id, request)?,
        Operation::AddStock(product) => {
            stock::change(smaregi, product, body::object(request)?, true)?
        }
        Operation::SetStock(product) => {
            stock::change(smaregi, product, body::object(request)?, false)?
        }
        Operation::Register => register::register(smaregi, body::object(request)?)?,
        Operation::Cancel(id) => undo::cancel(smaregi, id, body::optional(request)?)?,
        Operation::Dispose(id) => undo::dispose(smaregi, id, body::optional(request)?)?,
    };
    Ok(ok(&answer))
}
