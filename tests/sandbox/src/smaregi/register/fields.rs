//! Every field a registration may carry, with its type and range (smaregi.md 2 part A; names beyond it from the field list of
//! the public node it cites). It must not know how fields hang together.

use crate::smaregi::answer::Problem;
use crate::smaregi::body::{Body, bad};
use crate::switches::Offsets;

/// What a field may hold. Numbers are texts of whole numbers.
#[derive(Clone, Copy)]
pub enum Rule {
    /// A number between these, both included.
    Int(i64, i64),
    /// A text of any length: none is documented.
    Text,
    /// A text of at most so many characters.
    Short(usize),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A moment.
    Moment,
    /// A day.
    Day,
    /// Read by somebody else.
    Nested,
}

/// A name with its rule.
pub type Field = (&'static str, Rule);

/// The largest amount either way.
pub const MOST: i64 = 999_999_999;

const MONEY: Rule = Rule::Int(-MOST, MOST);
const ID: Rule = Rule::Int(1, MOST);
const COUNT: Rule = Rule::Int(0, MOST);
const FLAG: Rule = Rule::OneOf(&["0", "1"]);
const ROUNDING: Rule = Rule::OneOf(&["0", "1", "2"]);
const ROUNDINGS: [&str; 14] = [
    "00", "11", "12", "13", "21", "22", "23", "31", "32", "33", "41", "42", "43", "99",
];

/// Head fields. Ranges without a source are the money range (assumed).
pub const HEAD: &[Field] = &[
    // Other divisions move no goods; they are not played here.
    ("transactionHeadDivision", Rule::OneOf(&["1"])),
    ("cancelDivision", FLAG),
    ("subtotal", MONEY),
    ("subtotalDiscountPrice", MONEY),
    ("subtotalDiscountRate", Rule::Int(-999, 999)),
    ("subtotalDiscountDivision", ID),
    ("pointDiscount", MONEY),
    ("total", MONEY),
    ("taxInclude", MONEY),
    ("taxExclude", MONEY),
    ("roundingDivision", Rule::OneOf(&ROUNDINGS)),
    ("roundingPrice", MONEY),
    ("deposit", MONEY),
    ("depositCash", MONEY),
    ("depositCredit", MONEY),
    ("depositOthers", Rule::Nested),
    ("change", MONEY),
    ("newPoint", MONEY),
    ("spendPoint", MONEY),
    ("point", MONEY),
    ("totalPoint", MONEY),
    ("currentMile", MONEY),
    ("earnMile", MONEY),
    ("totalMile", MONEY),
    ("adjustmentMile", MONEY),
    ("adjustmentMileDivision", Rule::Text),
    ("adjustmentMileValue", MONEY),
    ("storeId", ID),
    // Its pattern is checked where it is read.
    ("terminalId", Rule::Short(9)),
    ("terminalTranId", Rule::Short(10)),
    ("terminalTranDateTime", Rule::Moment),
    ("sumDivision", Rule::OneOf(&["0", "1", "2"])),
    ("sumDate", Rule::Day),
    ("customerId", ID),
    ("customerCode", Rule::Text),
    ("customerRank", Rule::Text),
    ("customerGroupId", ID),
    ("customerGroupId2", ID),
    ("customerGroupId3", ID),
    ("customerGroupId4", ID),
    ("customerGroupId5", ID),
    ("staffId", ID),
    ("memo", Rule::Text),
    ("receiptMemo", Rule::Text),
    ("tags", Rule::Text),
    ("carriage", MONEY),
    ("commission", MONEY),
    ("guestNumbers", COUNT),
    ("guestNumbersMale", COUNT),
    ("guestNumbersFemale", COUNT),
    ("guestNumbersUnknown", COUNT),
    ("enterDateTime", Rule::Moment),
    ("taxFreeSalesDivision", Rule::Text),
    ("netTaxFreeGeneralTaxInclude", MONEY),
    ("netTaxFreeGeneralTaxExclude", MONEY),
    ("netTaxFreeConsumableTaxInclude", MONEY),
    ("netTaxFreeConsumableTaxExclude", MONEY),
    ("pointGivingDivision", Rule::Text),
    ("pointGivingUnitPrice", MONEY),
    ("pointGivingUnit", MONEY),
    ("pointSpendDivision", Rule::Text),
    ("mileageDivision", Rule::Text),
    ("mileageLabel", Rule::Text),
    ("customerPinCode", Rule::Text),
    ("sellDivision", FLAG),
    ("taxRate", Rule::Int(0, 100)),
    ("taxRounding", ROUNDING),
    ("discountRoundingDivision", ROUNDING),
    ("discountCalculateDivision", FLAG),
    ("transactionUuid", Rule::Text),
    ("exchangeTicketNo", Rule::Text),
    ("giftReceiptValidDays", COUNT),
    ("barcode", Rule::Text),
    ("layawayServerTransactionHeadId", ID),
    ("details", Rule::Nested),
];

/// Detail fields; lengths of product texts as in the product master (smaregi.md 5).
pub const DETAIL: &[Field] = &[
    ("transactionDetailId", Rule::Int(1, 999)),
    ("parentTransactionDetailId", Rule::Int(1, 999)),
    ("transactionDetailDivision", Rule::OneOf(&["1", "2", "3"])),
    // Any length: what is unknown is stored as none.
    ("productId", Rule::Text),
    ("productCode", Rule::Short(20)),
    ("productName", Rule::Short(85)),
    ("printReceiptProductName", Rule::Short(64)),
    ("taxDivision", Rule::OneOf(&["0", "1", "2"])),
    ("price", MONEY),
    ("salesPrice", MONEY),
    ("unitDiscountPrice", MONEY),
    ("unitDiscountRate", Rule::Int(-999, 999)),
    ("unitDiscountDivision", ID),
    ("quantity", MONEY),
    ("categoryId", ID),
    ("categoryName", Rule::Text),
    ("discriminationNo", Rule::Text),
    ("salesDivision", FLAG),
    (
        "productDivision",
        Rule::OneOf(&["0", "2", "3", "4", "7", "8"]),
    ),
    ("taxFreeDivision", Rule::Text),
    ("taxFreeCommodityPrice", MONEY),
    ("taxFree", MONEY),
    ("productBundleGroupId", Rule::Text),
    (
        "reduceTaxId",
        Rule::OneOf(&["10000001", "10000002", "10000003", "10000004"]),
    ),
];

/// Refuses unknown names, and values that break their rule.
pub fn check(body: &Body, table: &[Field], offsets: Offsets) -> Result<(), Problem> {
    let names: Vec<_> = table.iter().map(|(name, _)| *name).collect();
    body.only(&names)?;
    for (name, rule) in table {
        match *rule {
            Rule::Int(from, to) => {
                let number = body.int(name, from.abs().max(to))?;
                if number.is_some_and(|number| !(from..=to).contains(&number)) {
                    return Err(bad(name));
                }
            }
            Rule::Text => drop(body.text(name, usize::MAX)?),
            Rule::Short(longest) => drop(body.text(name, longest)?),
            Rule::OneOf(known) => drop(body.one_of(name, known)?),
            Rule::Moment => drop(body.moment(name, offsets)?),
            Rule::Day => drop(body.day(name)?),
            Rule::Nested => {}
        }
    }
    Ok(())
}

/// The texts of a body that nothing else reads, by wire name.
pub fn labels<'a>(
    body: &Body,
    table: &'a [Field],
    read: &'a [&str],
) -> impl Iterator<Item = (String, String)> {
    let kept = table.iter().filter(move |(name, _)| !read.contains(name));
    kept.filter_map(|(name, _)| {
        let text = body.value(name)?.as_str()?;
        Some(((*name).to_owned(), text.to_owned()))
    })
}
