//! JSON as both services write it: lists of objects that name the same fields in the same order. A name is kept once for its whole list, and
//! met again it costs one comparison; serde_json's own value keeps a sorted map with names of its own for each object. Knows no field.

use std::{fmt, rc::Rc};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// A value that a service sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, and what stands for a value that is not there.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as serde_json keeps it.
    Number(Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Object(Object),
}

/// An object's fields in the order in which they came.
#[derive(Debug, Clone, PartialEq)]
pub struct Object(pub(super) Vec<(Rc<str>, Value)>);

/// What the objects of one list call their fields, by their places.
type Names = Vec<Rc<str>>;

impl Object {
    /// A field's value. Of one that came twice the later counts.
    pub fn get(&self, field: &str) -> Option<&Value> {
        let mut fields = self.0.iter().rev();
        fields
            .find(|(name, _)| **name == *field)
            .map(|(_, value)| value)
    }
}

impl Value {
    /// A field of an object; of anything else `None`.
    pub fn get(&self, field: &str) -> Option<&Self> {
        self.as_object()?.get(field)
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Reads a value; an object's names are those of the one before it where they are the same.
struct Seed<'a>(&'a mut Names);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Seed(&mut Names::new()).deserialize(input)
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let (mut names, mut read) = (Names::new(), Vec::new());
        while let Some(value) = list.next_element_seed(Seed(&mut names))? {
            read.push(value);
        }
        Ok(Value::List(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let names = self.0;
        let mut read = Vec::with_capacity(names.len());
        while let Some(name) = object.next_key_seed(Name(names.get(read.len())))? {
            match names.get_mut(read.len()) {
                Some(known) => known.clone_from(&name),
                None => names.push(name.clone()),
            }
            read.push((name, object.next_value()?));
        }
        // One that is smaller than those before it takes no more room than it needs.
        read.shrink_to_fit();
        Ok(Value::Object(Object(read)))
    }
}

/// Reads a name, which is likely this one.
struct Name<'a>(Option<&'a Rc<str>>);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Rc<str>;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Rc<str>, D::Error> {
        input.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Rc<str>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Rc<str>, E> {
        Ok(match self.0 {
            Some(known) if **known == *name => known.clone(),
            _ => name.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn of_a_field_that_comes_twice_the_later_counts() {
        let twice = read(r#"{"a": 1, "b": 2, "a": 3}"#);
        assert_eq!(twice.get("a"), read("[3]").as_list().unwrap().first());
        assert_eq!(twice.get("c"), None);
        assert_eq!(read("[1]").get("a"), None);
    }

    #[test]
    fn a_small_object_behind_a_large_one_takes_little() {
        let large: Vec<String> = (0..1_000).map(|at| format!("\"{at}\":0")).collect();
        let list = read(&format!("[{{{}}},{{\"0\":1}},{{}}]", large.join(",")));
        let room = |value: &Value| match value {
            Value::Object(Object(fields)) => fields.capacity(),
            _ => panic!("{value:?}"),
        };
        let rooms: Vec<usize> = list.as_list().unwrap().iter().map(room).collect();
        assert!(rooms[0] >= 1_000 && rooms[1..] == [1, 0], "{rooms:?}");
    }

    #[test]
    fn a_list_keeps_each_name_once_and_each_object_its_own() {
        let list =
            read(r#"[{"a": 1, "b": {"a": 2}}, {"a": 3, "c": 4}, {"b": 5}, {"b": 6, "c": 7}, {}]"#);
        let fields = |value: &Value| match value {
            Value::Object(Object(fields)) => fields.clone(),
            _ => panic!("{value:?}"),
        };
        let objects: Vec<_> = list.as_list().unwrap().iter().map(fields).collect();
        let names: Vec<String> = objects
            .iter()
            .map(|fields| fields.iter().map(|(name, _)| &**name).collect())
            .collect();
        assert_eq!(names, ["ab", "ac", "b", "bc", ""]);
        let same = |one: (usize, usize), other: (usize, usize)| {
            Rc::ptr_eq(&objects[one.0][one.1].0, &objects[other.0][other.1].0)
        };
        assert!(same((0, 0), (1, 0)) && same((2, 0), (3, 0)) && same((1, 1), (3, 1)));
    }
}
