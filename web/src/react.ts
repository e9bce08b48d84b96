'use client';
// The element as a component of React 18 or 19, which may be rendered on a server: properties and listeners are set
// when it stands on the page, since older versions of React, and pages that were rendered ahead, know attributes alone.
import '@ledgerline/viewer';
import { createElement, forwardRef, useEffect, useImperativeHandle, useLayoutEffect, useRef } from 'react';
import { ownProperties, eventNames, settingNames } from './element/settings.ts';

const properties: readonly string[] = [...settingNames, ...ownProperties];
/** `onPlanRequired` hears `ledgerline-plan-required`. */
const listeners = new Map(
  eventNames.map((name) => {
    const words = name.split('-').slice(1);
    return [`on${words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')}`, name];
  }),
);
// Before the element's own start, which is a microtask after it was put on the page.
const useAtOnce = typeof document === 'undefined' ? useEffect : useLayoutEffect;

type Values = Record<string, unknown>;

export const LedgerlineLog = forwardRef<HTMLElement, Values>(function LedgerlineLog(props, ref) {
  const element = useRef<HTMLElement & Values>(null);
  const given = useRef<Values>({});
  const heard = useRef<Values>({});
  const plain: Values = {};
  const ours: Values = {};
  heard.current = {};
  for (const [name, value] of Object.entries(props)) {
    const event = listeners.get(name);
    if (event) heard.current[event] = value;
    else if (properties.includes(name)) ours[name] = value;
    else plain[name === 'className' ? 'class' : name] = value;
  }
  useImperativeHandle(ref, () => element.current!);
  useAtOnce(() => {
    for (const name of properties) {
      if (ours[name] !== given.current[name]) (element.current as Values)[name] = ours[name];
    }
    given.current = ours;
  });
  useAtOnce(() => {
    const target = element.current!;
    const tell = (event: Event) => (heard.current[event.type] as ((event: Event) => void) | undefined)?.(event);
    for (const name of eventNames) target.addEventListener(name, tell);
    return () => {
      for (const name of eventNames) target.removeEventListener(name, tell);
    };
  }, []);
  return createElement('ledgerline-log', { ...plain, ref: element });
});
