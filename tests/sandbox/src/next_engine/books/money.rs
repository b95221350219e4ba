//! A slip's money: lines, tax, total (next-engine.md 2.4, 3). It must not change anything.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::{Line, Slip};
use crate::shop::MallTax;
use crate::switches::TaxBase;

/// The rates that fall on goods, and the one that fees are taxed at (assumed).
const RATES: [u8; 2] = [8, 10];
const FEE_RATE: u8 = 10;

/// 端数処理 (next-engine.md 2.4: ids 0 down, 1 half-up, 2 up).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// 0, 切り捨て.
    #[default]
    Down,
    /// 1, 四捨五入.
    HalfUp,
    /// 2, 切り上げ.
    Up,
}

impl Rounding {
    fn strategy(self) -> RoundingStrategy {
        match self {
            Self::Down => RoundingStrategy::ToZero,
            Self::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Self::Up => RoundingStrategy::AwayFromZero,
        }
    }
}

/// `shop_tax_calculation_sequence_id` (next-engine.md 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxSequence {
    /// 0: from the goods total of each rate.
    #[default]
    GoodsTotal,
    /// 1: from each unit price, then times the quantity (the order of the two is assumed).
    UnitPrice,
}

/// How a tax-excluding shop's tax is reckoned; a slip keeps what its shop had when it came in (assumed).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Taxing {
    /// Rounding to the yen.
    pub rounding: Rounding,
    /// From what.
    pub sequence: TaxSequence,
    /// Whether fees carry tax, too.
    #[serde(skip)]
    pub base: TaxBase,
}

impl Taxing {
    /// `rate` percent of an amount, rounded to the yen.
    pub fn percent_of(&self, amount: Decimal, rate: u8) -> Decimal {
        let tax = amount * Decimal::from(rate) / Decimal::ONE_HUNDRED;
        tax.round_dp_with_strategy(0, self.rounding.strategy())
    }

    /// The tax inside an amount, rounded to the yen.
    pub fn inside(&self, amount: Decimal, rate: u8) -> Decimal {
        let rate = Decimal::from(rate);
        let tax = amount * rate / (Decimal::ONE_HUNDRED + rate);
        tax.round_dp_with_strategy(0, self.rounding.strategy())
    }
}

impl Line {
    /// 小計金額 = unit price x (ratio / 10) x quantity (next-engine.md 3).
    pub fn subtotal(&self) -> Decimal {
        self.price_at_ratio() * Decimal::from(self.quantity)
    }

    fn price_at_ratio(&self) -> Decimal {
        self.unit_price * self.ratio / Decimal::TEN
    }
}

impl Slip {
    /// 商品計: the live lines.
    pub fn goods_amount(&self) -> Decimal {
        self.live_lines().map(Line::subtotal).sum()
    }

    /// Sum of the live lines at one tax rate.
    pub fn goods_at(&self, rate: u8) -> Decimal {
        let lines = self.live_lines().filter(|line| line.tax_rate == rate);
        lines.map(Line::subtotal).sum()
    }

    /// 税金: zero where prices include it, else what is added at both rates.
    pub fn tax_amount(&self) -> Decimal {
        RATES.into_iter().map(|rate| self.tax_at(rate)).sum()
    }

    /// The tax added at one rate; zero where prices include it.
    pub fn tax_at(&self, rate: u8) -> Decimal {
        if self.tax_mode == MallTax::Included {
            return Decimal::ZERO;
        }
        let fees = match self.taxing.base {
            TaxBase::GoodsAndFees if rate == FEE_RATE => {
                self.charge + self.delivery_fee + self.other
            }
            _ => Decimal::ZERO,
        };
        match self.taxing.sequence {
            TaxSequence::GoodsTotal => self.taxing.percent_of(self.goods_at(rate) + fees, rate),
            TaxSequence::UnitPrice => self.unit_taxes(rate) + self.taxing.percent_of(fees, rate),
        }
    }

    fn unit_taxes(&self, rate: u8) -> Decimal {
        let lines = self.live_lines().filter(|line| line.tax_rate == rate);
        let tax = |line: &Line| {
            self.taxing.percent_of(line.price_at_ratio(), rate) * Decimal::from(line.quantity)
        };
        lines.map(tax).sum()
    }

    /// 総合計 = goods + tax + charge + delivery fee + other - points (next-engine.md 2.4), unless the mall said otherwise.
    pub fn total(&self) -> Decimal {
        let goods = self.goods_amount() + self.tax_amount();
        let sum = goods + self.charge + self.delivery_fee + self.other - self.points;
        self.stated_total.unwrap_or(sum)
    }

    /// 入金額: what was paid, the total unless somebody said otherwise.
    pub fn deposit_amount(&self) -> Decimal {
        self.deposit.unwrap_or_else(|| self.total())
    }

    /// 入金区分: 0 not paid, 2 paid (next-engine.md 2.4); 1 in part is assumed.
    pub fn deposit_type(&self) -> u32 {
        let paid = self.deposit_amount();
        if self.deposit.is_none() || paid >= self.total() {
            2
        } else {
            u32::from(!paid.is_zero())
        }
    }
}
