import { describe, expect, test } from 'vitest'
import { parseXml, XmlError } from './xml.ts'

test('elements, attributes, entities, comments and a DOCTYPE', () => {
  const root = parseXml(`\ufeff<?xml version="1.0"?>
<!DOCTYPE a PUBLIC "x>y" [ <!ELEMENT a ANY> ] >
<!-- <no/> -->
<a one='1 &lt; 2' two="&amp;&#65;&#x42;&quot;">
  text <![CDATA[ <no/> ]]>
  <b c.d="x
y"/><b></b><!-- -->
</a>
<!-- end -->`)
  expect(root).toMatchObject({
    name: 'a',
    line: 4,
    children: [
      { name: 'b', line: 6 },
      { name: 'b', line: 7 },
    ],
  })
  expect([...root.attributes]).toEqual([
    ['one', '1 < 2'],
    ['two', '&AB"'],
  ])
  expect(root.children[0]?.attributes.get('c.d')).toBe('x y')
})

describe('refused, by line', () => {
  test.each([
    ['', 'line 1: an element was expected here'],
    ['text', 'line 1: an element was expected here'],
    ['<a>\n<b></a>', 'line 2: </a> closes b of line 2'],
    ['<a>\n', 'line 1: a is not closed'],
    ['<a', 'line 1: the tag of a does not end'],
    ['<a b>', 'line 1: the attribute b has no value'],
    ['<a b=c>', 'line 1: the value of b is not in quotes'],
    ['<a b="c>', 'line 1: the value of b does not end'],
    ['<a b="<"/>', 'line 1: the value of b has a <'],
    ['<a b="1" b="2"/>', 'line 1: the attribute b stands twice'],
    ['<a b="&x;"/>', 'line 1: &x; is not an entity that is known here'],
    ['<a b="&#0;"/>', 'line 1: &#0; is not an entity'],
    ['<a>\n&f127;</a>', 'line 1: &f127; is not an entity that is known here'],
    ['<a/><b/>', 'line 1: something stands after the root element'],
    ['<!-- <a/>', 'line 1: <!-- is not closed by -->'],
    ['<!DOCTYPE a [<!ENTITY x "y">]><a/>', 'line 1: a DOCTYPE with entities is not read'],
    ['<!DOCTYPE a', 'line 1: the DOCTYPE does not end'],
    ['<a>'.repeat(40), 'line 1: elements are nested deeper than 32'],
  ])('%s', (text, problem) => {
    expect(() => parseXml(text)).toThrow(problem)
    expect(() => parseXml(text)).toThrow(XmlError)
  })
})
