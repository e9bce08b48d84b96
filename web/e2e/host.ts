// Pages of another origin, with the element on them.
import { createServer, type Server } from 'node:http';
import type { Page } from 'playwright-core';
import { inject } from 'vitest';
import { newPage, type PageOptions } from './browser.ts';

/** An origin that the service allows. */
export const hostOrigin = () => `http://127.0.0.1:${inject('ledgerline').hostPort}`;
/** The same server by another name: an origin that the service does not allow. */
export const strangerOrigin = () => `http://localhost:${inject('ledgerline').hostPort}`;
export const element = () => `${inject('ledgerline').base}/embed/ledgerline-log.js`;

export interface Answer {
  type: string;
  body: string | Buffer;
  status?: number;
}

/** Serves what it was given, by path. */
export class Host {
  private readonly answers = new Map<string, Answer>();
  private server: Server | undefined;

  start(): Promise<void> {
    this.server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', hostOrigin());
      const answer = this.answers.get(pathname);
      response.setHeader('Content-Type', answer?.type ?? 'text/plain');
      response.writeHead(answer ? (answer.status ?? 200) : 404).end(answer?.body);
    });
    return new Promise((resolve) => this.server!.listen(inject('ledgerline').hostPort, '127.0.0.1', resolve));
  }

  stop(): void {
    this.server?.close();
  }

  serve(path: string, answer: Answer): void {
    this.answers.set(path, answer);
  }

  page(path: string, body: string, head = ''): void {
    const html = `<!doctype html><html lang="en"><head><title>Host</title><link rel="icon" href="data:,">${head}</head><body>${body}</body></html>`;
    this.serve(path, { type: 'text/html; charset=utf-8', body: html });
  }

  async open(
    address: string,
    body: string,
    { head, origins = [], ...options }: PageOptions & { head?: string } = {},
  ): Promise<Page> {
    const page = await newPage({ ...options, origins: [hostOrigin(), strangerOrigin(), ...origins] });
    const url = new URL(address, hostOrigin());
    this.page(url.pathname, body, head);
    await page.goto(url.href);
    return page;
  }
}
